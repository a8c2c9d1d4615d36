"""Which way the population gets onto a server: by key, or by what the server can."""

from __future__ import annotations

from dataclasses import dataclass

from mattermost_load_test.mattermost.models import ServerVersion

AUTO, REST, CLI, DATABASE = "auto", "rest", "cli", "database"
IMPORT_JOB_SINCE = (5, 31)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way, and why it was chosen."""

    method: str
    reason: str


def choose(wanted: str, version: ServerVersion) -> Choice:
    """Return the way to have a server of a version import lines; `wanted` is the key `BulkLoadMethod`.

    What cannot go straight into the database goes the way that the server has.
    """
    if wanted not in (AUTO, DATABASE):
        return Choice(wanted, "BulkLoadMethod asks for it")
    if version.at_least(*IMPORT_JOB_SINCE):
        return Choice(REST, f"servers from {'.'.join(map(str, IMPORT_JOB_SINCE))} on import over their API")
    return Choice(CLI, f"a server of version {version} has no import over its API")
