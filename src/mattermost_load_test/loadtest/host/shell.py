"""The interface to a host, small enough to have two implementations: this machine, and another over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

KEPT_OUTPUT_BYTES = 64 * 1024
"""How much of the end of a command's output is kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and the end of what it wrote on stdout and stderr together."""

    code: int
    output: str


class Host(Protocol):
    """A host that commands are run on. Everything raises `ServerHostError` when the host does not let it."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    async def has(self, path: str) -> bool:
        """Say whether a program lies at `path`."""
        ...

    async def run(self, command: Sequence[str], folder: str) -> Ended:
        """Run a command in `folder` and return how it ended; cancelled, it ends the command."""
        ...

    def placed(self, file: Path) -> AbstractAsyncContextManager[str]:
        """Put a file of this machine where the host's commands can read it, give its path there, remove it again."""
        ...


def last_words(output: str, count: int = 3) -> str:
    """Return the last few lines that a command wrote before its usage, for a message."""
    said = output.partition("\nUsage:")[0]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " | ".join(dict.fromkeys(line.removeprefix("Error: ") for line in lines[-count:])) or "it said nothing"
