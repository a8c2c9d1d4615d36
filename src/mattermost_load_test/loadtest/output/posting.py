"""The summary of a run as a post in a channel of a Mattermost server, the whole report with it as a file."""

from __future__ import annotations

from dataclasses import replace

from mattermost_load_test.config import Configuration, ResultsConfiguration
from mattermost_load_test.errors import ApiError, ConfigurationError, ServerError
from mattermost_load_test.loadtest.output.streams import RESULTS_FILE
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import TransportOptions

LONGEST_MESSAGE = 4000
"""Characters of a post that every server takes; newer ones take 16,383 (the API description's `MaxPostSize`)."""

LONGEST_HEADING = 500

_CUT = "\n…"


def check_destination(results: ResultsConfiguration) -> None:
    """Raise `ConfigurationError` when the report is to be posted and it is not said where, and as whom."""
    if not results.send_report_to_mm_server:
        return
    wanted = {
        "ResultsServerURL": results.results_server_url,
        "ResultsChannelId": results.results_channel_id,
        "ResultsUsername": results.results_username,
        "ResultsPassword": results.results_password.get_secret_value(),
    }
    missing = [f"ResultsConfiguration.{key}" for key, value in wanted.items() if not value]
    if missing:
        raise ConfigurationError(f"SendReportToMMServer is on, but there is no {', '.join(missing)}")


async def post_report(configuration: Configuration, summary: str, report: str) -> None:
    """Post `summary` where the configuration says, with `report` as a file where the server takes files.

    Raises `ServerError` when it could not be posted.
    """
    results = configuration.results
    options = replace(
        TransportOptions.of(configuration.connection),
        base_url=results.results_server_url,
        url_key="ResultsConfiguration.ResultsServerURL",
    )
    async with open_transport(options) as transport:
        client = Client(transport, server=transport.server)
        try:
            await client.login(results.results_username, results.results_password)
            files = await _uploaded(client, results.results_channel_id, report)
            await client.posts.create(
                results.results_channel_id, message_of(results.custom_report_text, summary), file_ids=files
            )
            await client.logout()
        except ServerError as error:
            raise ServerError(
                f"the report could not be posted: {error}; it stands in {RESULTS_FILE}. Check the keys Results… of "
                "ResultsConfiguration, and that the user is in the channel"
            ) from error


async def _uploaded(client: Client, channel_id: str, report: str) -> list[str]:
    """Return the id of the report as a file, or nothing where the server takes none."""
    try:
        return [(await client.files.upload(channel_id, RESULTS_FILE, report.encode())).id]
    except ApiError:
        return []


def message_of(heading: str, summary: str) -> str:
    """Return the post's text: the heading, if any, and the summary as it is shown on a terminal."""
    before, behind = f"{_cut(heading, LONGEST_HEADING)}\n```text\n" if heading else "```text\n", "\n```"
    room = LONGEST_MESSAGE - len(before) - len(behind)
    return before + _cut(summary.strip("\n"), room) + behind


def _cut(text: str, longest: int) -> str:
    """Return as much of `text` as there is room for."""
    return text if len(text) <= longest else text[: longest - len(_CUT)] + _CUT
