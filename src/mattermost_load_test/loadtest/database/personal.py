"""Direct and group channels in the database: those of the population that are not there, and their members."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, select

from mattermost_load_test.loadtest.database.ids import IdSequence
from mattermost_load_test.loadtest.database.joining import channel_member_writer, member_row
from mattermost_load_test.loadtest.database.patterns import Pattern, writer
from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.database.writing import Count, RowWriter, Value
from mattermost_load_test.loadtest.population.population import DirectChannel, Population, username
from mattermost_load_test.loadtest.setup.directs import channel_name

AT_ONCE = 1000
"""So many channels are looked up and written at once."""

_NEW_CHANNEL: dict[str, Value] = {
    "deleteat": 0,
    "teamid": "",
    "purpose": "",
    "lastpostat": 0,
    "lastrootpostat": 0,
    "totalmsgcount": 0,
    "totalmsgcountroot": 0,
    "extraupdateat": 0,
    "schemeid": None,
    "groupconstrained": None,
}
_VARYING = ("id", "name", "type", "displayname", "header", "creatorid", "shared")


@dataclass(slots=True)
class PersonalWriter:
    """Writes channels like `channel_pattern` with members like `member_pattern`, all at `now_ms`."""

    connection: Connection
    tables: Tables
    channel_pattern: Pattern
    member_pattern: Pattern
    now_ms: int
    made: IdSequence = field(default_factory=lambda: IdSequence("channels", secrets.token_hex(16)))
    written: int = 0

    def write(self, population: Population, user_ids: Sequence[str], count: Count) -> int:
        """Write the channels that are missing, all their members with them, and return how many there were."""
        times: dict[str, Value] = {"createat": self.now_ms, "updateat": self.now_ms}
        channels = writer(
            self.connection, self.tables, "channels", self.channel_pattern, _VARYING, **_NEW_CHANNEL | times
        )
        members = channel_member_writer(self.connection, self.tables, self.member_pattern, self.now_ms)
        for kind, all_of_kind in (("D", population.directs()), ("G", population.groups())):
            for some in _batches(all_of_kind):
                self._write_some(kind, some, user_ids, channels, members)
                count(len(some))
        return self.written

    def made_ids(self) -> list[str]:
        """Return the ids of the channels that were written."""
        return [self.made[number] for number in range(self.written)]

    def _write_some(
        self,
        kind: str,
        some: Sequence[DirectChannel],
        user_ids: Sequence[str],
        channels: RowWriter,
        members: RowWriter,
    ) -> None:
        """Write those of some channels that are missing."""
        named = {channel_name([user_ids[member] for member in channel.members]): channel for channel in some}
        columns = self.tables["channels"].c
        there = set(self.connection.execute(select(columns.name).where(columns.name.in_(named))).scalars())
        missing = [(name, channel) for name, channel in named.items() if name not in there]
        ids = [self.made[self.written + offset] for offset in range(len(missing))]
        # a 5.37 leaves it open whether a group is shared
        shared = False if kind == "D" or "lastrootpostat" in columns else None
        channels.write(
            (channel_id, name, kind, _shown(kind, channel), channel.header, user_ids[channel.members[0]], shared)
            for channel_id, (name, channel) in zip(ids, missing, strict=True)
        )
        members.write(
            member_row(channel_id, user_ids[member], {})
            for channel_id, (_, channel) in zip(ids, missing, strict=True)
            for member in channel.members
        )
        self.written += len(missing)


def _shown(kind: str, channel: DirectChannel) -> str:
    """Return what a server calls such a channel: a group by its members' names, which are cut at 64 letters."""
    return ", ".join(sorted(map(username, channel.members)))[:64] if kind == "G" else ""


def _batches(channels: Iterable[DirectChannel]) -> Iterator[list[DirectChannel]]:
    """Yield the channels some at a time."""
    rest = iter(channels)
    while some := list(islice(rest, AT_ONCE)):
        yield some
