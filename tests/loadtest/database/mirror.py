"""A database beside an embedded server: rows carried over, where a real server has its state in the database itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.loadtest.database import populating

from mattermost_load_test.embedded.entering import enter_channel, enter_team
from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.sessions import Session
from mattermost_load_test.embedded.tables.users import User
from mattermost_load_test.loadtest.database.connection import Database
from mattermost_load_test.loadtest.population.population import USER_PASSWORD

SESSION_EXPIRES_MS = 32503680000000


class Mirror:
    """Carries rows from a server's state to a database and back."""

    def __init__(self, state: State, database: Database) -> None:
        self._state = state
        self._database = database

    def to_database(self) -> None:
        """Add the rows of what the server has and the database lacks."""
        state = self._state
        users = state.users.by_id.values()
        self._add("users", [self._user(user) for user in users], "id")
        tutorial = [{"userid": u.id, "category": "tutorial_step", "name": u.id, "value": "0"} for u in users]
        self._add("preferences", tutorial, "userid")
        self._add("teams", [{"id": t.id, "name": t.name, "deleteat": 0} for t in state.teams.by_id.values()], "id")
        self._add("channels", [self._channel(channel) for channel in state.channels.by_id.values()], "id")
        scheme = {"schemeuser": True, "schemeadmin": False, "schemeguest": False, "roles": ""}
        self._add(
            "teammembers",
            [
                scheme | {"teamid": team_id, "userid": user_id, "deleteat": 0}
                for team_id in state.teams.by_id
                for user_id in state.teams.members(team_id)
            ],
            "teamid",
            "userid",
        )
        none = {"msgcount": 0, "msgcountroot": 0, "lastviewedat": 0, "mentioncount": 0, "lastupdateat": 1}
        self._add(
            "channelmembers",
            [
                scheme | none | {"channelid": channel_id, "userid": user_id, "notifyprops": "{}"}
                for channel_id in state.channels.by_id
                for user_id in state.channels.members(channel_id)
            ],
            "channelid",
            "userid",
        )
        sessions = [
            {"id": s.id, "token": s.token, "userid": s.user_id, "createat": s.create_at, "roles": s.roles}
            | {"expiresat": SESSION_EXPIRES_MS, "props": "{}", "isoauth": False}
            for s in state.sessions.by_token.values()
        ]
        self._add("sessions", sessions, "id")

    def to_server(self, channels: Callable[[dict[str, Any]], bool] = lambda member: True) -> None:
        """Add to the server what the database has and it lacks; of channel members those that `channels` lets pass."""
        state = self._state
        for row in self._all("users"):
            if row["id"] not in state.users.by_id:
                user = User(row["id"], row["username"], row["email"], row["createat"], row["roles"], {})
                user.set_password(USER_PASSWORD)
                state.users.add(user)
        for row in self._all("channels"):
            if row["id"] not in state.channels.by_id:
                state.channels.add(
                    Channel(row["id"], row["teamid"], row["type"], row["displayname"], row["name"], row["createat"])
                )
        self._memberships_to_server(channels)
        for row in self._all("sessions"):
            if row["token"] not in state.sessions.by_token:
                now = state.now_ms()
                state.sessions.add(
                    Session(row["id"], row["token"], row["userid"], row["roles"], now, row["expiresat"], now)
                )

    def _memberships_to_server(self, channels: Callable[[dict[str, Any]], bool]) -> None:
        state = self._state
        for row in self._all("teammembers"):
            if row["userid"] not in state.teams.members(row["teamid"]):
                enter_team(state, state.teams.by_id[row["teamid"]], state.users.by_id[row["userid"]])
        for row in self._all("channelmembers"):
            if row["userid"] not in state.channels.members(row["channelid"]) and channels(row):
                enter_channel(state, state.channels.by_id[row["channelid"]], state.users.by_id[row["userid"]])

    def _all(self, name: str) -> list[dict[str, Any]]:
        """Return a table."""
        return list(populating.whole(self._database, name))

    def _add(self, name: str, rows: list[dict[str, Any]], *key: str) -> None:
        """Add those of the rows whose key is not there."""
        there = {tuple(row[column] for column in key) for row in self._all(name)}
        populating.add(self._database, name, [row for row in rows if tuple(row[column] for column in key) not in there])

    def _user(self, user: User) -> dict[str, Any]:
        return {
            "id": user.id,
            "username": user.username,
            "email": user.email,
            "createat": user.create_at,
            "updateat": user.create_at,
            "deleteat": 0,
            "roles": user.roles,
            "password": "a hash",
            "notifyprops": "{}",
        }

    def _channel(self, channel: Channel) -> dict[str, Any]:
        return {
            "id": channel.id,
            "teamid": channel.team_id,
            "type": channel.type,
            "name": channel.name,
            "displayname": channel.display_name,
            "createat": channel.create_at,
            "updateat": channel.create_at,
            "deleteat": 0,
            "lastpostat": 0,
            "totalmsgcount": 0,
            "totalmsgcountroot": 0,
            "extraupdateat": 0,
            "creatorid": "",
            "header": "",
            "purpose": "",
        }
