"""Writes the import file of a population once, in one of two ways, and prints what it cost as JSON."""

from __future__ import annotations

import json
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from bench.measuring import Meter
from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.population.bulkload import write_bulkload
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, Population, team_name

PRIVATE_SHARE = 4  # every fourth channel is private, as in the original's defaults


def ours(path: Path, population: Population) -> None:
    """Write as `loadtest genbulkload` does."""
    write_bulkload(path, population, lambda done, total: None)


def plain(path: Path, population: Population) -> None:
    """Write as one would: the whole population as objects, then `json.dumps` for each; schemes left out."""
    entries = [*_places(population), *_users(population), *_directs(population)]
    with path.open("w", encoding="utf-8") as file:
        for kind, entry in entries:
            file.write(json.dumps({"type": kind, kind: entry, "version": 1}) + "\n")


def _places(population: Population) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield teams and channels."""
    for team in population.teams():
        shown = {"display_name": team.display_name, "type": "O", "description": team.description}
        yield "team", {"name": team.name, "allow_open_invite": True, **shown}
    for channel in population.channels():
        yield (
            "channel",
            {
                "team": team_name(channel.team),
                "name": channel.name,
                "display_name": channel.display_name,
                "type": "P" if channel.private else "O",
                "header": channel.header,
                "purpose": channel.purpose,
            },
        )


def _users(population: Population) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield users with all they are in."""
    names = [channel.name for channel in population.channels()]
    for user in population.users():
        teams = [
            {
                "name": team_name(team),
                "roles": "",
                "channels": [{"name": names[index], "roles": ""} for index in population.channels_in(user.index, team)],
            }
            for team in population.teams_of(user.index)
        ]
        account = {"username": user.username, "email": user.email, "password": USER_PASSWORD, "roles": "system_user"}
        yield "user", account | {"teams": teams}


def _directs(population: Population) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield direct and group channels."""
    for channels in (population.directs(), population.groups()):
        for channel in channels:
            members = [population.user(member).username for member in channel.members]
            yield "direct_channel", {"members": members, "header": channel.header}


WRITERS: dict[str, Callable[[Path, Population], None]] = {"ours": ours, "plain": plain}


@click.command()
@click.option("--writer", type=click.Choice(list(WRITERS)), required=True)
@click.option("--users", type=int, required=True)
@click.option("--channels", type=int, required=True)
def main(writer: str, users: int, channels: int) -> None:
    """Write, and print seconds, MiB and bytes."""
    private = channels // PRIVATE_SHARE
    keys = {"num_users": users, "num_channels_per_team": channels - private, "num_private_channels_per_team": private}
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bulkload.json"
        WRITERS[writer](path, Population(EnvironmentConfiguration(**keys)))
        cost = meter.read()
        size_bytes = path.stat().st_size
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": cost.cpu_s, "wall_s": cost.wall_s, "peak_mib": peak_mib, "size_bytes": size_bytes}))


if __name__ == "__main__":
    main()
