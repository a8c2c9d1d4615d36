"""Tables as a server leaves them when it has made teams, channels and one user, for tests of what loads the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert, text

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.database.filling import Template
from mattermost_load_test.loadtest.database.schema import read_tables
from mattermost_load_test.loadtest.population.population import Population, email, username

NOTIFY_USER = '{"channel": "true", "desktop": "mention"}'
NOTIFY_MEMBER = '{"desktop": "default", "mark_unread": "all"}'

_SPELLED = {"channelmembers": "ChannelMembers", "teammembers": "TeamMembers", "threadmemberships": "ThreadMemberships"}


def population(**keys: Any) -> Population:
    """Return a population of two teams, everybody in the first, with users in several channels."""
    environment = {
        "num_users": 30,
        "num_teams": 2,
        "num_channels_per_team": 4,
        "num_private_channels_per_team": 2,
        "num_direct_message_channels": 20,
        "num_group_message_channels": 6,
        "percent_users_high_volume_teams": 1.0,
        "percent_users_mid_volume_teams": 0.5,
        "percent_users_high_volume_channel": 1.0,
        "percent_users_mid_volume_channel": 0.4,
        "seed": 3,
    }
    return Population(EnvironmentConfiguration(**environment | keys))


def ident(*parts: object) -> str:
    """Return an identifier of 26 letters."""
    return "".join(map(str, parts)).ljust(26, "x")


def table(database: Database, name: str) -> str:
    """Return a table's name as the database spells it."""
    return name if database.is_postgres else _SPELLED.get(name, name.title())


def add(database: Database, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows, given by lower-case column; columns that the version does not have are left out."""
    with database.transaction("adding rows") as connection:
        found = read_tables(connection)[name]
        for row in rows:
            values = {found.c[key]: value for key, value in row.items() if key in found.c}
            connection.execute(insert(found).values(values))


def rows(database: Database, statement: str) -> list[dict[str, Any]]:
    """Return rows with lower-case names."""
    with database.connect("asking") as connection:
        found = connection.execute(text(statement)).mappings()
        return [{name.lower(): value for name, value in row.items()} for row in found]


def whole(database: Database, name: str) -> list[dict[str, Any]]:
    """Return a whole table, in some order that depends on its rows only."""
    return sorted(rows(database, f"SELECT * FROM {table(database, name)}"), key=repr)


def teams_of(people: Population) -> dict[int, str]:
    """Return the ids of the teams that `serve` makes."""
    return {team.index: ident("team", team.index) for team in people.teams()}


def channels_of(people: Population) -> dict[int, str]:
    """Return the ids of the channels that `serve` makes."""
    return {channel.index: ident("channel", channel.index) for channel in people.channels()}


def serve(database: Database, people: Population) -> Template:
    """Make what a server has made before a load: teams, channels, the admin, and user0 in the first team."""
    teams = teams_of(people)
    add(database, "teams", ({"id": teams[t.index], "name": t.name, "deleteat": 0} for t in people.teams()))
    new = {"createat": 5, "updateat": 5, "deleteat": 0, "lastpostat": 0, "totalmsgcount": 0, "totalmsgcountroot": 0}
    new |= {"type": "O", "extraupdateat": 0, "creatorid": "", "header": "", "purpose": "", "displayname": "Some"}
    for team, team_id in teams.items():
        for name in ("town-square", "off-topic"):
            add(database, "channels", [new | {"id": ident(name, team), "name": name, "teamid": team_id}])
    add(
        database,
        "channels",
        (
            new
            | {"id": ident("channel", channel.index), "name": channel.name, "teamid": teams[channel.team]}
            | {"type": "P" if channel.private else "O"}
            for channel in people.channels()
        ),
    )
    return make_template(database, people.teams_of(0)[0])


def make_template(database: Database, team: int, number: int = 0) -> Template:
    """Make a user as a server does: with preferences, in a team and the channels that everybody is in."""
    user_id = ident("template", number)
    user = {
        "id": user_id,
        "username": username(number),
        "email": email(number),
        "password": "$2a$10$hash",
        "props": "{}",
    }
    user |= {
        "createat": 7,
        "updateat": 7,
        "deleteat": 0,
        "roles": "system_user",
        "notifyprops": NOTIFY_USER,
        "locale": "en",
    }
    add(
        database, "users", [user | {"emailverified": False, "authservice": "", "nickname": "Nick", "failedattempts": 3}]
    )
    add(
        database,
        "preferences",
        [
            {"userid": user_id, "category": "tutorial_step", "name": user_id, "value": "0"},
            {"userid": user_id, "category": "recommended_next_steps", "name": "hide", "value": "false"},
            {"userid": user_id, "category": "direct_channel_show", "name": ident("friend"), "value": "true"},
        ],
    )
    scheme = {"schemeuser": True, "schemeadmin": True, "schemeguest": False, "roles": ""}
    add(
        database,
        "teammembers",
        [scheme | {"teamid": ident("team", team), "userid": user_id, "deleteat": 0, "createat": 8}],
    )
    member = scheme | {
        "userid": user_id,
        "msgcount": 3,
        "lastviewedat": 9,
        "mentioncount": 2,
        "notifyprops": NOTIFY_MEMBER,
    }
    member |= {"mentioncountroot": 1, "msgcountroot": 2, "lastupdateat": 9}
    add(
        database, "channelmembers", (member | {"channelid": ident(name, team)} for name in ("town-square", "off-topic"))
    )
    return Template(user_id, ident("team", team))
