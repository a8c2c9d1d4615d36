"""nginx before the app instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_load_test.ltops.roles.rendering import render


@dataclass(frozen=True, slots=True)
class Proxy:
    """What nginx is told: `listen` and `apps` are addresses with ports, `directory` is where its own files lie.

    `account` is whom its workers run as, empty for whoever starts it. 200,000 connections and 65,536 files are what the
    original tool set on a host of its own.
    """

    listen: str
    apps: Sequence[str]
    directory: Path
    account: str = ""
    connections: int = 200_000
    open_files: int = 65_536
    foreground: bool = False

    def configuration(self) -> str:
        """Return nginx.conf."""
        return render(
            "nginx.conf.j2",
            listen=self.listen,
            apps=self.apps,
            directory=self.directory,
            account=self.account,
            connections=self.connections,
            open_files=self.open_files,
            foreground=self.foreground,
        )
