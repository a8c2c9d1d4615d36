"""The population as an import file: JSON lines that a server's bulk import reads.

A user has one line, with its teams and all its channels, since each line costs the server a password hash. Only beyond
64 KiB, which old servers do not read, there are further lines; the password stands on each, as a line without it gives
the user a random one. The importer takes lines of one type in parallel: between lines of one user stands one of
another type, for which it waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from mattermost_load_test.errors import OutputError
from mattermost_load_test.loadtest.population.population import (
    USER_PASSWORD,
    Channel,
    DirectChannel,
    Population,
    Team,
    emoji_name,
    team_name,
    username,
)
from mattermost_load_test.loadtest.population.schemes import (
    channel_scheme,
    channel_scheme_name,
    team_scheme,
    team_scheme_name,
)

BULKLOAD_FILE = "loadtestbulkload.json"
"""The file that `genbulkload` writes."""

EMOJI_IMAGE = "./testfiles/test_emoji.png"
"""Where the server looks for the image of an emoji line: on its own disk, from its working folder."""

MAX_LINE_BYTES = 64 * 1024
"""The longest line that old servers read, its newline counted."""

Progress = Callable[[int, int], None]
"""Told how many of how many entries are written."""

_PROGRESS_EVERY = 500
_BUFFER_BYTES = 1 << 20


def bulk_lines(population: Population, *, emoji: bool, schemes: bool = True) -> Iterator[bytes]:
    """Yield the lines of the import file, newlines included: what is referred to stands before what refers to it.

    Without `emoji`, emoji lines are left out: an import over REST finds their image only on the server's disk. Without
    `schemes`, schemes and references to them are left out, for servers that cannot have any.
    """
    yield orjson.dumps({"type": "version", "version": 1}) + b"\n"
    if schemes:
        for number in range(population.environment.num_team_schemes):
            yield _line("scheme", team_scheme(number))
        for number in range(population.environment.num_channel_schemes):
            yield _line("scheme", channel_scheme(number))
    for team in population.teams():
        yield _team_line(team, schemes)
    fragments = []
    for channel in population.channels():
        fragments.append(b'{"name":"%b","roles":""}' % channel.name.encode())
        yield _channel_line(channel, schemes)
    yield from _user_lines(population, fragments, _team_line(population.team(0), schemes))
    if emoji:
        for number in range(population.num_emoji):
            yield _line("emoji", {"name": emoji_name(number), "image": EMOJI_IMAGE})
    for channels in (population.directs(), population.groups()):
        yield from map(_direct_line, channels)


def write_bulkload(
    path: Path, population: Population, progress: Progress, *, emoji: bool = True, schemes: bool = True
) -> int:
    """Write the import file and return its size in bytes; `progress` is called every 500 lines and at the end.

    The file appears whole or not at all: raises `OutputError` if it cannot be written, and leaves an earlier one then.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    total = _entries(population, emoji, schemes)
    try:
        with unfinished.open("wb", buffering=_BUFFER_BYTES) as file:
            for count, line in enumerate(bulk_lines(population, emoji=emoji, schemes=schemes), start=1):
                file.write(line)
                if count % _PROGRESS_EVERY == 0:
                    progress(min(count, total), total)
            size = file.tell()
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}. Free space on the disk or change to another folder."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    progress(total, total)
    return size


def _entries(population: Population, emoji: bool, schemes: bool) -> int:
    """Return how many lines the file has, further lines of users left out."""
    environment = population.environment
    return (
        1
        + (environment.num_team_schemes + environment.num_channel_schemes if schemes else 0)
        + population.num_teams
        + population.num_channels
        + population.num_users
        + (population.num_emoji if emoji else 0)
        + environment.num_direct_message_channels
        + environment.num_group_message_channels
    )


def _line(kind: str, entry: dict[str, Any]) -> bytes:
    return orjson.dumps({"type": kind, kind: entry, "version": 1}) + b"\n"


def _team_line(team: Team, schemes: bool) -> bytes:
    entry: dict[str, Any] = {
        "name": team.name,
        "display_name": team.display_name,
        "type": "O",
        "description": team.description,
        "allow_open_invite": True,
    }
    if schemes and team.scheme is not None:
        entry["scheme"] = team_scheme_name(team.scheme)
    return _line("team", entry)


def _channel_line(channel: Channel, schemes: bool) -> bytes:
    entry: dict[str, Any] = {
        "team": team_name(channel.team),
        "name": channel.name,
        "display_name": channel.display_name,
        "type": "P" if channel.private else "O",
        "header": channel.header,
        "purpose": channel.purpose,
    }
    if schemes and channel.scheme is not None:
        entry["scheme"] = channel_scheme_name(channel.scheme)
    return _line("channel", entry)


def _direct_line(channel: DirectChannel) -> bytes:
    members = [username(member) for member in channel.members]
    return _line("direct_channel", {"members": members, "header": channel.header})


def _user_lines(population: Population, fragments: list[bytes], barrier: bytes) -> Iterator[bytes]:
    """Yield the first line of each user, then in rounds, `barrier` before each, the further ones of those with more."""
    waiting: list[int] = []
    for user in range(population.num_users):
        lines = _lines_of_user(population, user, fragments)
        yield lines[0]
        if len(lines) > 1:
            waiting.append(user)
    sent = 1
    while waiting:
        yield barrier
        following = []
        for user in waiting:
            lines = _lines_of_user(population, user, fragments)
            yield lines[sent]
            if len(lines) > sent + 1:
                following.append(user)
        waiting, sent = following, sent + 1


def _lines_of_user(population: Population, user: int, fragments: list[bytes]) -> list[bytes]:
    """Return the lines of a user, one wherever old servers can read it; `fragments` stand for channels by index."""
    entry = population.user(user)
    head = b'{"type":"user","user":{"username":"%b","email":"%b","password":"%b","roles":"system_user","teams":[' % (
        entry.username.encode(),
        entry.email.encode(),
        USER_PASSWORD.encode(),
    )
    tail = b']},"version":1}\n'
    room = MAX_LINE_BYTES - len(head) - len(tail)
    memberships = [
        (team_name(team).encode(), [fragments[index] for index in population.channels_in(user, team)])
        for team in population.teams_of(user)
    ]
    if not memberships:
        return [head.removesuffix(b',"teams":[') + tail.removeprefix(b"]")]
    return [head + b",".join(teams) + tail for teams in _packed(memberships, room)]


def _packed(memberships: list[tuple[bytes, list[bytes]]], room: int) -> Iterator[list[bytes]]:
    """Yield the teams of each line: as many teams and channels as fit into `room` bytes, in order."""
    teams: list[bytes] = []
    used = 0
    for name, channels in memberships:
        frame = len(_team_fragment(name, [b""])) + len(b",")
        held: list[bytes] = []
        if teams and used + frame > room:
            yield teams
            teams, used = [], 0
        used += frame
        for channel in channels:
            if used + len(channel) + len(b",") > room:
                yield [*teams, _team_fragment(name, held)]
                teams, held, used = [], [], frame
            held.append(channel)
            used += len(channel) + len(b",")
        teams.append(_team_fragment(name, held))
    yield teams


def _team_fragment(name: bytes, channels: list[bytes]) -> bytes:
    if not channels:
        return b'{"name":"%b","roles":""}' % name
    return b'{"name":"%b","roles":"","channels":[%b]}' % (name, b",".join(channels))
