"""What two runs were set differently in, so that a comparison says more of that than of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from mattermost_load_test.reporting.settings import flat_settings
from mattermost_load_test.timings.reading import Instance
from mattermost_load_test.timings.records import Origin

# Places and ways of writing things down do not change the load; everything else may.
_NO_LOAD = ("LogSettings.", "ResultsConfiguration.")
_PLACES = {
    "ConnectionConfiguration.ServerURL",
    "ConnectionConfiguration.WebsocketURL",
    "ConnectionConfiguration.PProfURL",
    "ConnectionConfiguration.DataSource",
    "ConnectionConfiguration.DBEndpoint",
    "ConnectionConfiguration.AdminEmail",
    "ConnectionConfiguration.AdminPassword",
    "ConnectionConfiguration.SSHHostnamePort",
    "ConnectionConfiguration.SSHUsername",
    "ConnectionConfiguration.SSHKey",
}
_NAMED = 10  # so many keys stand in a warning, the rest is a count
_LENGTH_SHARE = 0.2  # runs whose lengths differ by more than this are told of


def settings_warnings(settings: Mapping[str, object] | None, before: Mapping[str, object] | None) -> Iterator[str]:
    """Yield a warning that names the keys in which a run and its baseline were set differently.

    A key that one of the two does not have, being of another version, is left to itself.
    """
    ours, theirs = dict(flat_settings(settings or {})), dict(flat_settings(before or {}))
    differing = [
        f"{key} ({theirs[key]} → {ours[key]})"
        for key in ours
        if key in theirs and ours[key] != theirs[key] and key not in _PLACES and not key.startswith(_NO_LOAD)
    ]
    if differing:
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        yield (
            "run and baseline were set differently, so that the comparison tells of that, too: "
            f"{', '.join(differing[:_NAMED])}{more}"
        )


def origin_warnings(ours: Iterable[Instance], theirs: Iterable[Instance]) -> Iterator[str]:
    """Yield a warning for each version, and for the scenario, in which a run and its baseline differ.

    Where a log does not tell, as the original's do not, nothing is said.
    """
    now, before = ([one.origin for one in agents if one.origin is not None] for agents in (ours, theirs))
    for what, told in _ORIGINS.items():
        new, old = (sorted({told(origin) for origin in origins}) for origins in (now, before))
        if new and old and new != old:
            yield f"run and baseline differ in {what}: {' and '.join(old)} → {' and '.join(new)}"


_ORIGINS: Mapping[str, Callable[[Origin], str]] = {
    "their scenario": lambda origin: origin.scenario,
    "the server's version": lambda origin: origin.server_version,
    "the version of loadtest": lambda origin: origin.tool_version,
}


def agents_warnings(ours: int, theirs: int) -> Iterator[str]:
    """Yield a warning where run and baseline had different numbers of agents."""
    if ours != theirs:
        yield f"run and baseline differ in their number of agents: {theirs} → {ours}"


def length_warnings(ours_s: float | None, theirs_s: float | None) -> Iterator[str]:
    """Yield a warning where one of run and baseline took much longer than the other."""
    if ours_s and theirs_s and abs(ours_s - theirs_s) > _LENGTH_SHARE * max(ours_s, theirs_s):
        yield f"run and baseline differ in length: {theirs_s:,.0f} s → {ours_s:,.0f} s"
