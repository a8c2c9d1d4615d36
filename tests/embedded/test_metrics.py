"""``/metrics``: the names, kinds and labels of real servers, and figures that count what happens."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from tests.conftest import AddPerson, StartServer

    from mattermost_load_test.embedded.server import EmbeddedServer

REFERENCE = Path(__file__).parents[1] / "data" / "server-metrics.csv"

OLD_LABELS = {"mattermost_http_websockets_total": [], "mattermost_api_time": ["handler", "method", "status_code"]}
"""Where older servers have fewer labels."""


async def scrape(server: EmbeddedServer) -> str:
    """Give the metrics page."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/metrics") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        return await response.text()


def families(page: str) -> dict[str, Metric]:
    """Give the metrics of a page by the names that their samples have."""
    found = {}
    for metric in text_string_to_metric_families(page):
        suffix = "_total" if metric.type == "counter" and not metric.name.endswith("_totals") else ""
        found[metric.name + suffix] = metric
    return found


def value(page: str, sample: str) -> float:
    """Give the value of one sample, named with its labels as it stands in the page."""
    found = re.search(rf"^{re.escape(sample)} (.+)$", page, re.MULTILINE)
    assert found is not None, f"no {sample} in the page"
    return float(found[1])


def reference() -> list[dict[str, str]]:
    """Give the metrics that real servers and hosts expose."""
    with REFERENCE.open(newline="") as file:
        return list(csv.DictReader(file))


async def used(server: EmbeddedServer, add_person: AddPerson) -> str:
    """Use a server a little, so that its labelled metrics have samples, and give its metrics page."""
    admin = await add_person(server, "admin")
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"})
    channel = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    async with admin.socket() as watching:
        await watching.news()
        await admin.ask("POST", "/posts", {"channel_id": channel["id"], "message": "hello"})
        await watching.news()
        return await scrape(server)


@pytest.mark.parametrize("version", ["5.37", "11.6"])
async def test_names_kinds_and_labels(version: str, start_server: StartServer, add_person: AddPerson) -> None:
    """Every metric of the reference is there, of its kind, and no sample has labels that it should not have."""
    found = families(await used(await start_server(version=version), add_person))
    for row in reference():
        name, kind = row["name"], row["type"].partition(" ")[0]
        assert name in found, f"{name} is missing"
        assert found[name].type == kind, name
        labels = re.sub(r"\(.*\)", "", row["labels"]).split()
        if version == "5.37":
            labels = OLD_LABELS.get(name, labels)
        for sample in found[name].samples:
            assert set(sample.labels) - {"le", "quantile"} == set(labels), sample


async def test_what_happens_is_counted(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """Logins, posts, requests, events and open sockets are counted as they happen."""
    page = await used(embedded, add_person)
    assert value(page, "mattermost_login_logins_total") == 1
    assert value(page, "mattermost_post_total") >= 1
    assert value(page, "mattermost_http_requests_total") == 5
    assert value(page, "mattermost_db_active_users") == 1
    assert value(page, 'mattermost_http_websockets_total{origin_client="other"}') == 1
    assert value(page, 'mattermost_websocket_event_total{type="posted"}') >= 1
    assert value(page, 'mattermost_websocket_broadcasts_total{name="posted"}') == 1
    created = 'handler="createPost",method="POST",origin_client="other",page_load_context="",status_code="201"'
    assert value(page, f"mattermost_api_time_count{{{created}}}") == 1
    assert value(page, f'mattermost_api_time_bucket{{handler="createPost",le="+Inf",{created[21:]}}}') == 1


async def test_a_scrape_is_no_api_request(embedded: EmbeddedServer) -> None:
    """Asking for the metrics does not change them."""
    assert value(await scrape(embedded), "mattermost_http_requests_total") == 0
    assert value(await scrape(embedded), "mattermost_http_requests_total") == 0


async def test_errors_and_reconnects_are_counted(embedded: EmbeddedServer, add_person: AddPerson) -> None:
    """An answer with an error status and a client's return to its connection have counters of their own."""
    admin = await add_person(embedded, "admin")
    await admin.ask("GET", "/users/aaaaaaaaaaaaaaaaaaaaaaaaaa", status=404)
    async with admin.socket() as socket:
        hello = (await socket.news())[0]
    resume = f"?connection_id={hello['data']['connection_id']}&sequence_number=1"
    async with admin.socket(resume) as socket:
        await socket.news()
    page = await scrape(embedded)
    assert value(page, "mattermost_http_errors_total") == 1
    assert value(page, 'mattermost_websocket_reconnects_total{type="success"}') == 1
