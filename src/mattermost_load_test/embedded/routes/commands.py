"""Slash commands: which there are, how they are completed while somebody types, and running one."""

from __future__ import annotations

from functools import cache
from typing import Any

from mattermost_load_test.embedded import bodies, slash
from mattermost_load_test.embedded.answers import Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal, invalid_body
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.defaults import read_data
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.plain_views import Row
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.posts import Post

COMMAND = {
    "command": bodies.text,
    "channel_id": bodies.text,
    "team_id": bodies.text,
    "root_id": bodies.text,
    "parent_id": bodies.text,
}
"""What a body that runs a command may hold."""


@cache
def _commands() -> tuple[dict[str, Any], ...]:
    """Return the built-in commands by their triggers."""
    return tuple(read_data("commands.json"))


def _row(command: dict[str, Any]) -> Row:
    empty = ("id", "token", "creator_id", "team_id", "method", "username", "icon_url", "description", "url")
    row: Row = dict.fromkeys((*empty, "plugin_id"), "") | dict.fromkeys(("create_at", "update_at", "delete_at"), 0)
    row |= {
        "trigger": command["trigger"],
        "auto_complete": True,
        "auto_complete_desc": command["description"],
        "auto_complete_hint": command["hint"],
        "display_name": command["display_name"],
    }
    if "autocomplete_data" in command:
        row["autocomplete_data"] = command["autocomplete_data"]
    return row


def list_commands(call: Call) -> Answer:
    """List a team's slash commands: those that are built in, nobody has made any."""
    team_id = call.query_text("team_id")
    if not team_id:
        raise invalid_body("team_id")
    call.need_in_team(team_id, "view_team")
    if not call.query_flag("custom_only"):
        return json_answer([_row(command) for command in _commands()])
    call.need_in_team(team_id, "manage_slash_commands")
    return json_answer([])


def list_autocomplete_commands(call: Call) -> Answer:
    """List the commands that clients complete."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    return json_answer([_row(command) for command in _commands()])


def list_command_autocomplete_suggestions(call: Call) -> Answer:
    """List the commands that begin with what somebody has typed so far."""
    team_id = call.id_param("team_id")
    call.need_in_team(team_id, "view_team")
    typed = call.query_text("user_input")
    if not typed:
        raise invalid_body("userInput")
    begun = typed.removeprefix("/")
    return json_answer([_suggestion(command) for command in _commands() if command["trigger"].startswith(begun)])


def _suggestion(command: dict[str, Any]) -> Row:
    told = command.get("autocomplete_data", {}).get("HelpText", command["description"])
    return {
        "Complete": command["trigger"],
        "Suggestion": command["trigger"],
        "Hint": command["hint"],
        "Description": told,
        "IconData": "",
    }


def execute_command(call: Call) -> Answer:
    """Run a slash command in a channel."""
    given = call.json("command_args", COMMAND)
    line, channel_id = given.get("command", ""), given.get("channel_id", "")
    if len(line) < len("/x") or not line.startswith("/") or not is_id(channel_id):
        message = "No command trigger found."
        raise ApiRefusal(400, "api.command.execute_command.start.app_error", message)
    call.need_in_channel(channel_id, "create_post" if call.site.version.modern else "use_slash_commands")
    channel = call.state.channels.by_id[channel_id]
    team_id = _team_of(call, channel, given)
    name, _, text = line[1:].partition(" ")
    name = name.lower()
    if all(command["trigger"] != name for command in _commands()):
        message = f"Command with a trigger of '{name}' not found. To send a message beginning with \"/\", "
        message += "try adding an empty space at the beginning of the message."
        raise ApiRefusal(404, "api.command.execute_command.not_found.app_error", message)
    typed = slash.Typed(call, channel, team_id, given.get("root_id", ""), text)
    reply = slash.BUILT_IN.get(name, slash.not_supported(name))(typed)
    _deliver(typed, name, reply)
    return json_answer(_reply_row(reply))


def _team_of(call: Call, channel: Channel, given: bodies.Json) -> str:
    """Return the team for which a command runs: the channel's own, or for direct messages the one in the body."""
    if not channel.is_personal:
        return channel.team_id
    team_id: str = given.get("team_id", "")
    call.need_in_team(team_id, "view_team")
    return team_id


def _deliver(typed: slash.Typed, name: str, reply: slash.Reply) -> None:
    if reply.response_type == "in_channel":
        try:
            slash.say(typed, typed.channel, reply.text, kind=reply.type)
        except ApiRefusal:
            message = f"Command '{name}' failed to post response. Please contact your System Administrator."
            raise ApiRefusal(500, "api.command.execute_command.create_post_failed.app_error", message) from None
    elif reply.text:
        site = typed.call.site
        notice = Post(
            id=site.new_id(),
            channel_id=typed.channel.id,
            user_id=typed.user.id,
            message=reply.text,
            create_at=site.now_ms(),
            update_at=0,
            root_id=typed.root_id,
            type="system_ephemeral",
        )
        site.publish(site.events.ephemeral_message(typed.user.id, site.views.post(notice, fresh=True)))


def _reply_row(reply: slash.Reply) -> Row:
    return {
        "response_type": reply.response_type,
        "text": reply.text,
        "username": "",
        "channel_id": "",
        "icon_url": "",
        "type": reply.type,
        "props": None,
        "goto_location": reply.goto,
        "trigger_id": "",
        "skip_slack_parsing": reply.verbatim,
        "attachments": None,
        "extra_responses": None,
    }


ROUTES = (
    Route("GET", "/commands", list_commands),
    Route("GET", "/teams/{team_id}/commands/autocomplete", list_autocomplete_commands),
    Route("GET", "/teams/{team_id}/commands/autocomplete_suggestions", list_command_autocomplete_suggestions),
    Route("POST", "/commands/execute", execute_command),
)
