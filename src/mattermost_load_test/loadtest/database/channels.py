"""The population's teams and channels as the server's database has them.

A channel is known by the end of its name, ``-loadtestchannelN``, so that servers which the Go tool filled are
understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from mattermost_load_test.loadtest.database.schema import Tables
from mattermost_load_test.loadtest.history.post_plan import MAX_AUTHORS, channel_key

_TEAM = re.compile(r"loadtestteam(\d+)")
_CHANNEL = re.compile(r".*-loadtestchannel(\d+)")


@dataclass(frozen=True, slots=True)
class FoundChannel:
    """A channel of the population on the server: its ids there, its team's number and its own number in that team."""

    id: str
    team_id: str
    team: int
    number: int
    public: bool

    @property
    def key(self) -> str:
        """Return what stands for the channel in the plan of posts: the same on every server."""
        return channel_key(self.team, self.number)


def find_teams(connection: Connection, tables: Tables) -> dict[int, str]:
    """Return the ids of the population's teams by number; archived ones are left out."""
    teams = tables["teams"]
    named = select(teams.c.name, teams.c.id).where(teams.c.deleteat == 0, teams.c.name.like("loadtestteam%"))
    found = ((_TEAM.fullmatch(name), team_id) for name, team_id in connection.execute(named))
    return {int(match[1]): team_id for match, team_id in found if match}


def find_channels(connection: Connection, tables: Tables) -> list[FoundChannel]:
    """Return the population's channels by team and number; archived ones are left out."""
    channels = tables["channels"]
    numbers = {team_id: number for number, team_id in find_teams(connection, tables).items()}
    named = (
        select(channels.c.id, channels.c.name, channels.c.teamid, channels.c.type)
        .where(channels.c.deleteat == 0, channels.c.name.like("%-loadtestchannel%"))
        .order_by(channels.c.id)
    )
    found = {}
    for channel_id, name, team_id, kind in connection.execute(named):
        match = _CHANNEL.fullmatch(name)
        if match and team_id in numbers:
            channel = FoundChannel(channel_id, team_id, numbers[team_id], int(match[1]), kind == "O")
            found[channel.team, channel.number] = channel
    return [found[place] for place in sorted(found)]


def authors(connection: Connection, tables: Tables, channel: FoundChannel) -> list[str]:
    """Return the ids of those who write in a channel: its members, else its team's; empty if there is nobody."""
    members, team_members = tables["channelmembers"], tables["teammembers"]
    in_channel = select(members.c.userid).where(members.c.channelid == channel.id).order_by(members.c.userid)
    found = list(connection.execute(in_channel.limit(MAX_AUTHORS)).scalars())
    if found:
        return found
    in_team = select(team_members.c.userid).where(team_members.c.teamid == channel.team_id)
    in_team = in_team.where(team_members.c.deleteat == 0).order_by(team_members.c.userid)
    return list(connection.execute(in_team.limit(MAX_AUTHORS)).scalars())
