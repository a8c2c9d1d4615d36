"""Uploads in parts, import files and jobs."""

from __future__ import annotations

from dataclasses import dataclass, field

PENDING, IN_PROGRESS, SUCCESS, ERROR = "pending", "in_progress", "success", "error"
CANCEL_REQUESTED, CANCELED = "cancel_requested", "canceled"
"""The states of a job."""


@dataclass(slots=True)
class Upload:
    """An upload in parts: `received` holds what has come so far of `file_size` bytes."""

    id: str
    type: str
    user_id: str
    channel_id: str
    filename: str
    file_size: int
    create_at: int
    received: bytearray = field(default_factory=bytearray, repr=False)


@dataclass(slots=True)
class Job:
    """A job for the server; all values of `data` are texts. Times are milliseconds since 1970."""

    id: str
    type: str
    create_at: int
    data: dict[str, str]
    priority: int = 0
    start_at: int = 0
    last_activity_at: int = 0
    status: str = PENDING
    progress: int = 0


class WorkTable:
    """Uploads under way, files to import by name, jobs in the order they were made."""

    def __init__(self) -> None:
        self.uploads: dict[str, Upload] = {}
        self.imports: dict[str, bytes] = {}
        self.jobs: dict[str, Job] = {}
