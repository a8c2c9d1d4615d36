"""The user that a server makes itself, as the pattern of all that are put straight into its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import orjson

from mattermost_load_test.errors import ApiError, OperationError
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.database.filling import Template
from mattermost_load_test.loadtest.population.population import USER_PASSWORD, email, username
from mattermost_load_test.loadtest.setup.admin import when_let
from mattermost_load_test.loadtest.setup.inventory import Inventory
from mattermost_load_test.loadtest.world import Team
from mattermost_load_test.mattermost.importing import ImportContext, ImportOptions, import_lines
from mattermost_load_test.mattermost.models import User
from mattermost_load_test.mattermost.rest import Client

MOST_TRIED = 20
"""So many users who are there are tried as the pattern: a run that was cut off may have left some deactivated."""

USER_LIMIT = "api.user.create_user.user_limits.exceeded"


async def make_template(admin: Client, login: Client, inventory: Inventory, clock: Clock) -> Template:
    """Return a user of the population who is in one of its teams, made by the server: a new one if any is missing.

    It has logged in by `login` then, which shows that its password is the population's. Raises what the client raises,
    and `OperationError` when no user can be had.
    """
    if inventory.missing_users:
        number = next(_in_teams(inventory, inventory.missing_users), None)
        if number is not None:
            user_id = (await _create(admin, number, _team(inventory, number).name)).id
            return await _prepared(admin, login, inventory, clock, number, user_id)
    for number in islice(_in_teams(inventory, range(inventory.population.num_users)), MOST_TRIED):
        if inventory.user_ids[number]:
            try:
                return await _prepared(admin, login, inventory, clock, number, inventory.user_ids[number])
            except ApiError as error:
                if error.status != 401:  # deactivated, or with another password: the next may do
                    raise
    raise OperationError(
        "no user of the population is in a team of the server and can log in with the population's password: there is"
        " no pattern for the others' rows"
    )


async def _prepared(
    admin: Client, login: Client, inventory: Inventory, clock: Clock, number: int, user_id: str
) -> Template:
    """Put a user into its first team, log it in and return it; raises `ApiError` if it cannot log in."""
    team = _team(inventory, number)
    await when_let(lambda: login.login(username(number), USER_PASSWORD), clock)
    await admin.teams.join(team.id, user_id)
    return Template(user_id, team.id)


def _in_teams(inventory: Inventory, numbers: Iterable[int]) -> Iterator[int]:
    """Yield those of the users whose first team the server has."""
    teams_of = inventory.population.teams_of
    return (number for number in numbers if any(team in inventory.teams for team in teams_of(number)[:1]))


def _team(inventory: Inventory, number: int) -> Team:
    """Return the first team of a user."""
    return inventory.teams[inventory.population.teams_of(number)[0]]


async def _create(admin: Client, number: int, team_name: str) -> User:
    """Make a user; by an import of one line where a server without a licence takes no more users over its API."""
    try:
        return await admin.users.create(email(number), username(number), USER_PASSWORD)
    except ApiError as error:
        if error.error_id != USER_LIMIT:
            raise
    user = {
        "username": username(number),
        "email": email(number),
        "password": USER_PASSWORD,
        "roles": "system_user",
        "teams": [{"name": team_name, "roles": ""}],
    }
    lines = [{"type": "version", "version": 1}, {"type": "user", "user": user}]
    context = ImportContext(ImportOptions(poll_s=0.5))
    await import_lines(admin, [orjson.dumps(line) + b"\n" for line in lines], context)
    return await admin.users.by_username(username(number))
