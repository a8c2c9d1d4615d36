"""A file of an agent on its way here: a stream from some byte on, which follows the file or ends where it does."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mattermost_load_test.errors import OperationError, ServerUnreachableError
from mattermost_load_test.ltops.providers.base import Digest
from mattermost_load_test.ltops.providers.kubernetes.api import Api
from mattermost_load_test.ltops.providers.kubernetes.streams import STDERR, STDOUT, Exec, Place, run

SCRIPT = "/scripts/read.sh"
PIECE_BYTES = 1 << 20
IDLE_S = 60.0
"""A stream that brings nothing for longer is opened anew: an agent that acts writes every five seconds."""

WAIT_S = 60.0
"""How long the rest of a file may be waited for."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of an agent: the pod by its id, how often the agent was started again, whether the file still grows."""

    place: Place
    pod_id: str
    restarts: int
    file: str
    grows: bool


class Fetch:
    """A file from `offset` on; `offset` moves with what was taken."""

    def __init__(self, api: Api, source: Source, offset: int) -> None:
        self.source = source
        self.offset = offset
        self._words = b""
        self._heard_s = time.monotonic()
        mode = ["follow"] if source.grows else []
        self._stream = Exec(api, source.place, ["sh", SCRIPT, source.file, str(offset), *mode])

    @property
    def over(self) -> bool:
        """Whether nothing more comes of this stream."""
        silent = self.source.grows and time.monotonic() - self._heard_s > IDLE_S
        return self._stream.ended or self._stream.exit_code is not None or silent

    def take(self) -> bytes:
        """Return the next piece: of a growing file what has come, empty if nothing has; else empty at the end.

        Raises `ServerUnreachableError` when the connection is lost, `OperationError` when the file cannot be read.
        """
        pieces: list[bytes] = []
        size = 0
        while size < PIECE_BYTES and not self._stream.ended and self._stream.exit_code is None:
            if not self._stream.is_readable(0 if self.source.grows or pieces else WAIT_S):
                break
            channel, content = self._stream.receive()
            if channel == STDOUT and content:
                pieces.append(content)
                size += len(content)
                self._heard_s = time.monotonic()
            elif channel == STDERR:
                self._words += content[:1000]
        self.offset += size
        if not pieces and not self.source.grows:
            self._check()
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of the connection."""
        self._stream.close()

    def _check(self) -> None:
        """Raise unless the end of the file was reached."""
        code = self._stream.exit_code
        if code is None:
            raise ServerUnreachableError(f"the connection to {self.source.place.pod} was lost")
        if code:
            words = self._words.decode(errors="replace").strip()
            raise OperationError(f"{self.source.file} in {self.source.place.pod} cannot be read: {words or code}")


def digest(api: Api, place: Place, file: str) -> Digest | None:
    """Return a file's size and checksum, worked out where it is; None if there is none."""
    told = run(api, place, ["sh", SCRIPT, file, "0", "digest"], timeout_s=600.0).stdout.split()
    return Digest(int(told[0]), told[1].decode()) if len(told) > 1 else None
