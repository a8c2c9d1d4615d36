"""The user that a server makes itself, as the pattern of all that are put straight into its tables."""

from __future__ import annotations

import orjson

from mattermost_load_test.errors import ApiError, OperationError
from mattermost_load_test.loadtest.admin import when_let
from mattermost_load_test.loadtest.clock import Clock
from mattermost_load_test.loadtest.database.filling import Template
from mattermost_load_test.loadtest.inventory import Inventory
from mattermost_load_test.loadtest.population import USER_PASSWORD, email, username
from mattermost_load_test.mattermost.importing import ImportContext, ImportOptions, import_lines
from mattermost_load_test.mattermost.models import User
from mattermost_load_test.mattermost.rest import Client

USER_LIMIT = "api.user.create_user.user_limits.exceeded"


async def make_template(admin: Client, login: Client, inventory: Inventory, clock: Clock) -> Template:
    """Return a user of the population who is in one of its teams, made by the server: a new one if any is missing.

    It has logged in by `login` then, which shows that its password is the population's. Raises what the client raises,
    and `OperationError` when no user can be had.
    """
    population = inventory.population
    missing = inventory.missing_users
    number = _with_team(inventory, missing or range(population.num_users))
    team = inventory.teams[population.teams_of(number)[0]]
    user_id = inventory.user_ids[number]
    if missing:
        user_id = (await _create(admin, number, team.name)).id
    await admin.teams.join(team.id, user_id)
    try:
        await when_let(lambda: login.login(username(number), USER_PASSWORD), clock)
    except ApiError as error:
        raise OperationError(
            f"{username(number)} cannot log in with the password of the population, so it is no pattern for the"
            f" others: {error}"
        ) from error
    return Template(user_id, team.id)


def _with_team(inventory: Inventory, numbers: range | list[int]) -> int:
    """Return the first of the users who is in a team that the server has."""
    teams_of = inventory.population.teams_of
    for number in numbers:
        if any(team in inventory.teams for team in teams_of(number)[:1]):
            return number
    raise OperationError("no user of the population is in a team that the server has: nothing shows how rows look")


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
