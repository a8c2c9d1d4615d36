"""The report of a run as a post in a channel of a Mattermost server."""

from __future__ import annotations

from typing import Any

import pytest

from mattermost_load_test.loadtest.output.posting import LONGEST_MESSAGE, message_of

AgentHere = Any
"""An `Agent` of the conftest beside."""

PASSWORD = "Loadtestpassword1"


@pytest.fixture
async def results_server(start_server: Any) -> Any:
    """Give a server that results are posted to."""
    return await start_server()


@pytest.fixture
async def channel_id(results_server: Any, add_person: Any) -> str:
    """Give the channel on it, with its user `reporter` in it."""
    reporter = await add_person(results_server, "reporter")
    team = await reporter.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"})
    body = {"team_id": team["id"], "name": "results", "display_name": "Results", "type": "O"}
    return str((await reporter.ask("POST", "/channels", body))["id"])


@pytest.fixture
def reporting(agent_here: AgentHere, results_server: Any, channel_id: str) -> AgentHere:
    """Give a run whose report is posted."""
    agent_here.set(
        UserEntitiesConfiguration_ActionRateMilliseconds=500,
        ResultsConfiguration_SendReportToMMServer="true",
        ResultsConfiguration_ResultsServerURL=results_server.url,
        ResultsConfiguration_ResultsChannelId=channel_id,
        ResultsConfiguration_ResultsUsername="reporter",
        ResultsConfiguration_ResultsPassword=PASSWORD,
        ResultsConfiguration_CustomReportText="Friday's build",
    )
    return agent_here


def posts_in(server: Any, channel_id: str) -> list[Any]:
    """Return what was posted in a channel."""
    return [post for post in server.state.posts.by_id.values() if post.channel_id == channel_id and not post.type]


async def test_the_summary_is_posted_with_the_report_as_a_file(
    reporting: AgentHere, results_server: Any, channel_id: str
) -> None:
    """The heading and the summary as text, the figures of the routes in the file; no password is written."""
    ended = await reporting.run("basic")
    assert ended.code == 0, ended.stderr
    (post,) = posts_in(results_server, channel_id)
    assert post.message.startswith("Friday's build\n```text\nScenario    basic on ")
    assert post.message.endswith("\n```")
    (file_id,) = post.file_ids
    stored = results_server.state.attachments.files[file_id]
    assert stored.name == "results.txt"
    assert stored.data.decode() == (reporting.folder / "results.txt").read_text()
    assert PASSWORD not in ended.stdout + ended.stderr


async def test_a_report_that_cannot_be_posted_ends_with_3(reporting: AgentHere, results_server: Any) -> None:
    """The run is done and its report written: the message says so, and what to check."""
    reporting.set(ResultsConfiguration_ResultsPassword="wrongsecret")
    ended = await reporting.run("basic")
    assert ended.code == 3
    assert "the report could not be posted: POST /users/login was answered 401" in ended.error
    assert "results.txt" in ended.error
    assert "wrongsecret" not in ended.stdout + ended.stderr
    assert (reporting.folder / "results.txt").read_text().startswith("Friday's build")


async def test_a_destination_half_said_is_refused_at_once(reporting: AgentHere) -> None:
    """Nobody wants to learn after an hour that the channel was forgotten: 2, and each missing key."""
    reporting.set(ResultsConfiguration_ResultsChannelId="", ResultsConfiguration_ResultsUsername="")
    ended = await reporting.run("basic")
    assert ended.code == 2
    assert "no ResultsConfiguration.ResultsChannelId, ResultsConfiguration.ResultsUsername" in ended.error
    assert not reporting.log.exists()


def test_a_post_is_never_too_long_for_a_server() -> None:
    """Heading and summary are cut to what every server takes, and the block of text is closed."""
    message = message_of("heading " * 1000, "summary line\n" * 1000)
    assert len(message) <= LONGEST_MESSAGE
    assert message.endswith("…\n```")
    assert message_of("", "short\n") == "```text\nshort\n```"
