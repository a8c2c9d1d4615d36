"""Adding to the server what it lacks of the population: by import what is missing by name, one by one what is left.

Everything here can be done twice, and after a kill halfway: what is there already is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from mattermost_load_test.loadtest.actions.images import png
from mattermost_load_test.loadtest.bulk.load import BulkLoad, Needed
from mattermost_load_test.loadtest.database.bulkload import DatabaseLoad
from mattermost_load_test.loadtest.population.bulkload import bulk_lines
from mattermost_load_test.loadtest.population.population import Population, team_name, username
from mattermost_load_test.loadtest.setup.directs import directs_missing
from mattermost_load_test.loadtest.setup.inventory import Inventory, side_by_side, take_inventory
from mattermost_load_test.loadtest.setup.joining import Tell, add_memberships
from mattermost_load_test.loadtest.setup.lock import SetupLock
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.models import Json
from mattermost_load_test.mattermost.rest import Client

EMOJI_IMAGE = png(8, 8, b"".join(b"\0" + bytes((255, 200, 0)) * 8 for _ in range(8)))

PEOPLE = frozenset({"user", "direct_channel"})
"""The types of lines about users."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Fills a server as `admin`, whose id is `admin_id`, telling `log` what is done and `tell` how far it is.

    `bulk` loads what is missing by name, while this agent holds the `lock`. Without `emoji` the server takes none.
    Where `database` is given, it puts the users and all they are in straight into the server's tables.
    """

    admin: Client
    admin_id: str
    log: Log
    tell: Tell
    bulk: BulkLoad
    lock: SetupLock
    emoji: bool
    database: DatabaseLoad | None = None

    async def fill(self, inventory: Inventory) -> Inventory:
        """Add what is missing and return the inventory as it is then; raises what client and bulk load raise.

        Of several agents one does it, and the others wait until nothing is missing, or it is their turn.
        """
        population = inventory.population
        while await self._lacks_lines(inventory) or self._lacks_emoji(inventory):
            if await self.lock.claim():
                inventory = await self.lock.held_while(lambda: self._load(population))
                break
            await self.lock.until_free()
            inventory = await take_inventory(self.admin, population)
        if self.database is not None:
            await self.database.run(inventory)
            return await take_inventory(self.admin, population)
        joined = await add_memberships(self.admin, inventory, self.tell)
        if joined:
            self.log.info("Added missing memberships of teams and channels", memberships=joined)
        return inventory

    async def _lacks_lines(self, inventory: Inventory) -> bool:
        """Say whether anything is missing that comes by lines."""
        if self.database is not None:
            return bool(inventory.missing_teams or inventory.missing_channels)
        return not inventory.names_complete or await directs_missing(self.admin, inventory)

    def _lacks_emoji(self, inventory: Inventory) -> bool:
        """Say whether a custom emoji is missing that the server would take."""
        return self.emoji and bool(inventory.missing_emoji)

    async def _load(self, population: Population) -> Inventory:
        """Load what is missing now, and return the inventory as it is then."""
        inventory = await take_inventory(self.admin, population)
        if await self._lacks_lines(inventory):
            await self.bulk.run(_needed(inventory, people=self.database is None))
            inventory = await take_inventory(self.admin, population)
        if self._lacks_emoji(inventory):
            await self._add_emoji(inventory)
        return inventory

    async def _add_emoji(self, inventory: Inventory) -> None:
        """Create the custom emoji that are missing; an import would look for their image on the server's disk."""
        missing = inventory.missing_emoji
        done = 0

        async def create(name: str) -> None:
            nonlocal done
            await self.admin.emojis.create(name, self.admin_id, EMOJI_IMAGE)
            done += 1
            self.tell(f"creating emoji: {done:,} of {len(missing):,}")

        await side_by_side(create, missing)
        self.log.info("Created custom emoji", emoji=len(missing))


def _needed(inventory: Inventory, *, people: bool) -> Needed:
    """Return what a server with `inventory` lacks, users and their direct channels only where `people` go by lines."""
    return Needed(
        len(inventory.missing_teams),
        len(inventory.missing_channels),
        len(inventory.missing_users) if people else 0,
        lambda schemes: lines_needed(inventory, schemes=schemes, people=people),
    )


def lines_needed(inventory: Inventory, *, schemes: bool, people: bool = True) -> Iterator[bytes]:
    """Yield the import lines of what is missing: of users, teams and channels by name, of direct channels all.

    Direct channels cost little, and importing them again adds nothing. Channels that the server has under another name
    (the original tool's words differ, its numbers do not) go by the server's. Without `people` there are no lines of
    users and direct channels.
    """
    population = inventory.population
    users = {username(index) for index in inventory.missing_users}
    teams = {team_name(index) for index in inventory.missing_teams}
    channels = set(inventory.missing_channels)
    renamed = {
        channel.name: inventory.channels[channel.index].name
        for channel in population.channels()
        if channel.index in inventory.channels and inventory.channels[channel.index].name != channel.name
    }
    wanted = _Wanted(users, teams, channels)
    for line in bulk_lines(population, emoji=False, schemes=schemes):
        entry = orjson.loads(line)
        if not people and entry["type"] in PEOPLE:
            return  # they come last
        if wanted.wants(entry):
            yield _with_names(line, renamed) if renamed else line


class _Wanted:
    """Tells the lines that are needed from the others; asked for each line in the file's order."""

    def __init__(self, users: set[str], teams: set[str], channels: set[int]) -> None:
        self._users = users
        self._teams = teams
        self._channels = channels
        self._next_channel = 0
        self._among_users = False

    def wants(self, line: Json) -> bool:
        """Say whether a line is needed."""
        kind = line["type"]
        if kind == "channel":
            self._next_channel += 1
            return self._next_channel - 1 in self._channels
        if kind == "user":
            self._among_users = True
            return line["user"]["username"] in self._users
        if kind == "team":  # one among the users keeps the lines of a user apart
            return line["team"]["name"] in self._teams or (self._among_users and bool(self._users))
        if kind == "scheme":
            return bool(self._teams or self._channels)
        return True


def _with_names(line: bytes, renamed: dict[str, str]) -> bytes:
    """Return a user's line with its channels called as the server calls them."""
    entry = orjson.loads(line)
    for team in entry.get("user", {}).get("teams", ()):
        for channel in team.get("channels", ()):
            channel["name"] = renamed.get(channel["name"], channel["name"])
    return orjson.dumps(entry) + b"\n"
