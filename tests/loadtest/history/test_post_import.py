"""The import of posts into an embedded server: how far it is, while one job reads many posts of many channels."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.history.post_import import PostImport
from mattermost_load_test.loadtest.history.post_plan import PostPlan
from mattermost_load_test.loadtest.history.reading import Reading
from mattermost_load_test.loadtest.population.bulkload import bulk_lines
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.setup.inventory import take_inventory
from mattermost_load_test.mattermost.importing import ImportContext, ImportOptions, import_lines
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

ENVIRONMENT = EnvironmentConfiguration(
    num_teams=2,
    num_channels_per_team=30,
    num_private_channels_per_team=0,
    num_users=6,
    num_direct_message_channels=0,
    num_group_message_channels=0,
    num_emoji=0,
    num_posts=12_000,
    num_team_schemes=0,
    num_channel_schemes=0,
    percent_users_high_volume_teams=1.0,
    percent_users_mid_volume_teams=1.0,
    percent_users_low_volume_teams=1.0,
)
IMPATIENT = ImportOptions(poll_s=0.005)


async def test_progress_goes_on_within_a_job(embedded: Any, add_person: Any) -> None:
    """The posts that have arrived are told while the one job runs, never fewer than before, up to all of them."""
    await add_person(embedded, "boss")
    told: list[tuple[str, int, int]] = []
    async with open_transport(TransportOptions(embedded.url)) as transport:
        admin = Client(transport)
        await admin.login("boss", "Loadtestpassword1")
        population = Population(ENVIRONMENT)
        await import_lines(admin, bulk_lines(population, emoji=False), ImportContext(IMPATIENT))
        inventory = await take_inventory(admin, population)

        async def change(settings: Any) -> None:
            """Nothing has to be changed."""

        posts = PostImport(
            admin,
            inventory,
            PostPlan(ENVIRONMENT),
            Reading(0.0, 0),
            change,
            lambda words, done, total: told.append((words, done, total)),
            IMPATIENT,
        )
        imported = await posts.run()
    assert imported.posts == 12_000
    running = [done for words, done, _ in told if words == "Import of posts: importing"]
    assert running == sorted(running)
    assert len(set(running)) > 5  # of a hundred steps or so
    assert {total for words, _, total in told if words.startswith("Import of posts")} == {12_000}
    assert ("Import of posts", 12_000, 12_000) in told
