"""Slash commands: what each tells or posts, and where it sends the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import AddPerson, StartServer

REPLIES = (
    ("/away", "ephemeral", "You are now away"),
    ("/offline", "ephemeral", "You are now offline"),
    ("/me waves", "in_channel", "*waves*"),
    ("/shrug hi", "in_channel", "hi ¯\\\\\\_(ツ)\\_/¯"),
    ("/code a\nb", "in_channel", "    a\n    b"),
    ("/code", "ephemeral", "A message must be provided with the /code command."),
    ("/header", "ephemeral", "Text must be provided with the /header command."),
    ("/rename x", "ephemeral", "Channel name must be 2 or more characters."),
    ("/mute", "ephemeral", "You will not receive notifications for Town Square until channel mute is turned off."),
    ("/leave", "ephemeral", "Unable to leave the default channel town-square."),
    ("/join nosuch", "ephemeral", "An error occurred while listing channels."),
    ("/msg nosuch hi", "ephemeral", "Unable to find the user."),
    ("/kick @admin", "ephemeral", "Unable to remove user from the default channel town-square."),
    ("/invite @admin", "ephemeral", "admin is already in the channel."),
    ("/status :tada: at lunch", "ephemeral", "Your status is set to “:tada: at lunch”. You can change your status "),
    ("/search x", "ephemeral", "The search command is not supported on your device."),
)


@pytest.mark.parametrize("version", ["5.37", "11.6"])
async def test_commands_answer_as_a_real_server_does(
    version: str, start_server: StartServer, add_person: AddPerson
) -> None:
    """What is for the channel becomes a post, what is for the author alone an event and no post."""
    server = await start_server(version=version)
    admin = await add_person(server, "admin")
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"}, status=201)
    town_square = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    posted = []
    for line, kind, text in REPLIES:
        body = {"channel_id": town_square["id"], "command": line}
        reply = await admin.ask("POST", "/commands/execute", body)
        assert reply["response_type"] == kind, line
        assert reply["text"].startswith(text), line
        posted += [text] if kind == "in_channel" else []
    listed = await admin.ask("GET", f"/channels/{town_square['id']}/posts")
    messages = [listed["posts"][post_id]["message"] for post_id in reversed(listed["order"])]
    assert messages[-len(posted) :] == posted


async def test_a_command_may_open_a_direct_channel_and_write_in_it(
    start_server: StartServer, add_person: AddPerson
) -> None:
    """The client is sent there."""
    server = await start_server(version="5.37")
    admin = await add_person(server, "admin")
    other = await add_person(server, "other", by=admin)
    team = await admin.ask("POST", "/teams", {"name": "team", "display_name": "Team", "type": "O"}, status=201)
    town_square = await admin.ask("GET", f"/teams/{team['id']}/channels/name/town-square")
    body = {"channel_id": town_square["id"], "command": "/msg @other hello there"}
    reply = await admin.ask("POST", "/commands/execute", body)
    names = sorted((admin.id, other.id))
    assert reply["goto_location"] == f"{server.url}/team/channels/{names[0]}__{names[1]}"
    channel = await admin.ask("POST", "/channels/direct", names, status=201)
    listed = await other.ask("GET", f"/channels/{channel['id']}/posts")
    assert [post["message"] for post in listed["posts"].values()] == ["hello there"]
