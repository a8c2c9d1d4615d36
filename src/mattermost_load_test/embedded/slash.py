"""The built-in slash commands: what somebody types that begins with ``/``, and what the server does about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mattermost_load_test.embedded import entering, membership, posting
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routes.channel_changes import change
from mattermost_load_test.embedded.routes.channel_members import update
from mattermost_load_test.embedded.routes.status import say_of_self, set_custom_status
from mattermost_load_test.embedded.tables.channels import DEFAULT_CHANNELS, Channel
from mattermost_load_test.embedded.tables.presence import DND, OFFLINE, Preference
from mattermost_load_test.embedded.tables.users import User

NO_USER = "We couldn't find the user. They may have been deactivated by the System Administrator."
SHRUG = "¯\\\\\\_(ツ)\\_/¯"
HELP_URL = "https://about.mattermost.com/default-help/"
HANDLES = "[channel handle](https://about.mattermost.com/default-channel-handle-documentation)"
EMOJI_FIRST = re.compile(r":([a-z0-9_+-]+):\s*")
NAME_MIN = 2
"""How long a channel's display name has to be, in characters."""
GROUP_OTHERS_MIN = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes of a command: text for its author alone or for the channel, or a place to go to."""

    text: str = ""
    response_type: str = ""
    type: str = ""
    goto: str = ""
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed: by whom (the caller), where, and what stands after its name."""

    call: Call
    channel: Channel
    team_id: str
    root_id: str
    text: str

    @property
    def user(self) -> User:
        """Who typed it."""
        return self.call.user

    def place(self, channel: Channel) -> str:
        """Return the address of a channel in the web app."""
        team = self.call.state.teams.by_id[self.team_id]
        return f"{self.call.site.site_url}/{team.name}/channels/{channel.name}"

    def may_manage(self, what: str) -> bool:
        """Say whether the caller may change the channel's ``properties``, or its ``members``."""
        kind = "public" if self.channel.is_open else "private"
        return self.channel.is_personal or self.call.may_in_channel(self.channel.id, f"manage_{kind}_channel_{what}")


Command = Callable[[Typed], Reply]


def private(text: str) -> Reply:
    """Answer the author alone."""
    return Reply(text, "ephemeral")


def _named_user(typed: Typed, name: str) -> User | None:
    user = typed.call.state.users.by_username.get(name.removeprefix("@").lower())
    return None if user is None or user.delete_at else user


# --- statuses ---


def _away(typed: Typed) -> Reply:
    typed.call.site.set_away_if_idle(typed.user.id, manual=True)
    return private("You are now away")


def _online(typed: Typed) -> Reply:
    typed.call.site.set_online(typed.user.id, manual=True)
    return private("You are now online")


def _offline(typed: Typed) -> Reply:
    typed.call.site.set_status(typed.user.id, OFFLINE, manual=True)
    return private("You are now offline")


def _dnd(typed: Typed) -> Reply:
    typed.call.site.set_status(typed.user.id, DND, manual=True)
    text = "Do Not Disturb is enabled. You will not receive desktop or mobile push notifications until "
    return private(f"{text}Do Not Disturb is turned off.")


# --- posts ---


def _me(typed: Typed) -> Reply:
    return Reply(f"*{typed.text}*", "in_channel", type="me")


def _shrug(typed: Typed) -> Reply:
    return Reply(f"{typed.text} {SHRUG}" if typed.text else SHRUG, "in_channel")


def _code(typed: Typed) -> Reply:
    if not typed.text:
        return private("A message must be provided with the /code command.")
    return Reply("    " + "\n    ".join(typed.text.split("\n")), "in_channel", verbatim=True)


def _echo(typed: Typed) -> Reply:
    """Post the text as the author's; the delay that may stand behind it is not waited for."""
    if not typed.text:
        return private("A message must be provided with the /echo command.")
    text, _, delay = typed.text.rpartition(" ")
    message = text if text and delay.isdecimal() else typed.text
    say(typed, typed.channel, message.strip('"'))
    return Reply()


def say(typed: Typed, channel: Channel, message: str, *, kind: str = "") -> None:
    """Post in a channel as the caller."""
    root_id = typed.root_id if channel is typed.channel else ""
    new = posting.NewPost(channel=channel, user_id=typed.user.id, message=message, type=kind, root_id=root_id)
    posting.check(typed.call.site, new)
    posting.create(typed.call.site, new)


def _message(typed: Typed) -> Reply:
    name, _, message = typed.text.partition(" ")
    return _write_to(typed, name, message)


def _write_to(typed: Typed, name: str, message: str) -> Reply:
    call, other = typed.call, _named_user(typed, name)
    if other is None:
        return private("Unable to find the user.")
    channel, made = entering.open_direct(call.state, typed.user, other)
    if made:
        call.site.publish(call.site.events.direct_added(channel.id, typed.user.id, other.id))
    if message:
        say(typed, channel, message)
    return Reply(response_type="ephemeral", goto=typed.place(channel))


def _message_group(typed: Typed) -> Reply:
    names, _, message = typed.text.partition(" ")
    wanted = [name for name in names.split(",") if name]
    found = {user.id: user for name in wanted if (user := _named_user(typed, name)) is not None}
    found.pop(typed.user.id, None)
    if len(found) == 1 and len(wanted) == 1:
        return _write_to(typed, wanted[0], message)
    if len(found) < GROUP_OTHERS_MIN:
        return private("Group messages are limited to a minimum of 2 users.")
    if len(found) >= entering.GROUP_MAX:
        return private("Group messages are limited to a maximum of 7 users.")
    call = typed.call
    channel, made = entering.open_group(call.state, [typed.user, *found.values()])
    if made:
        call.site.publish(call.site.events.group_added(channel.id, [typed.user.id, *found]))
    if message:
        say(typed, channel, message)
    return Reply(response_type="ephemeral", goto=typed.place(channel))


# --- channels ---


def _join(typed: Typed) -> Reply:
    call = typed.call
    channel = call.state.channels.named(typed.team_id, typed.text.removeprefix("~").lower())
    if channel is None or channel.delete_at:
        return private("An error occurred while listing channels.")
    present = call.state.channels.member(channel.id, typed.user.id) is not None
    if not present and not (channel.is_open and call.may_in_team(typed.team_id, "join_public_channels")):
        return private("An error occurred while joining the channel.")
    membership.join_channel(call.site, channel, typed.user)
    return Reply(goto=typed.place(channel))


def _leave(typed: Typed) -> Reply:
    call, town_square = typed.call, DEFAULT_CHANNELS[0]
    if typed.channel.name == town_square:
        return private(f"Unable to leave the default channel {town_square}.")
    if typed.channel.is_personal:
        return private("Unable to leave a direct message channel.")
    membership.leave_channel(call.site, typed.channel, typed.user)
    default = call.state.channels.named(typed.team_id, town_square)
    assert default is not None
    return Reply(goto=typed.place(default))


def _changes(key: str, missing: str) -> Command:
    """Make the command that sets one property of the channel."""

    def change_it(typed: Typed) -> Reply:
        if not typed.may_manage("properties"):
            return private(f"You don't have the appropriate permissions to edit the channel {key}.")
        if not typed.text:
            return private(missing)
        if key == "display_name" and len(typed.text) < NAME_MIN:
            return private(f"Channel name must be {NAME_MIN} or more characters.")
        change(typed.call, typed.channel, {key: typed.text}, told=(key,))
        return Reply()

    return change_it


def _mute(typed: Typed) -> Reply:
    call, channel = typed.call, typed.channel
    name = typed.text.removeprefix("~")
    if name:
        named = call.state.channels.named(typed.team_id, name.lower())
        if named is None:
            return private(f"Could not find the channel {name}. Please use the {HANDLES} to identify channels.")
        channel = named
    member = call.state.channels.member(channel.id, typed.user.id)
    if member is None:
        return private(f"Could not mute the channel {channel.display_name} as you are not a member.")
    muted = member.notify_props.get("mark_unread") != "mention"
    member.notify_props = member.notify_props | {"mark_unread": "mention" if muted else "all"}
    update(call, member)
    shown = "this channel" if channel.is_personal else channel.display_name
    if muted:
        return private(f"You will not receive notifications for {shown} until channel mute is turned off.")
    return private(f"{shown[0].upper()}{shown[1:]} is no longer muted.")


def _invite(typed: Typed) -> Reply:
    call = typed.call
    name, _, channel_name = typed.text.partition(" ")
    if not name:
        return private("Missing Username and Channel.")
    user = _named_user(typed, name)
    if user is None:
        return private(NO_USER)
    channel = typed.channel
    if channel_name:
        named = call.state.channels.named(typed.team_id, channel_name.strip().removeprefix("~").lower())
        if named is None:
            return private(f"Could not find the channel {channel_name}. Please use the {HANDLES} to identify channels.")
        channel = named
    if channel.is_personal:
        return private("You can't add someone to a direct message channel.")
    if call.state.channels.member(channel.id, user.id) is not None:
        return private(f"{user.username} is already in the channel.")
    kind = "public" if channel.is_open else "private"
    if not call.may_in_channel(channel.id, f"manage_{kind}_channel_members"):
        return private(f"You don't have enough permissions to add {user.username} in {channel.name}.")
    if call.state.teams.member(typed.team_id, user.id) is None:
        return private("Unable to add the user: they are not a member of the team.")
    membership.join_channel(call.site, channel, user, inviter=typed.user)
    return Reply() if channel is typed.channel else private(f"{user.username} added to {channel.name} channel.")


def _kick(typed: Typed) -> Reply:
    call, channel, town_square = typed.call, typed.channel, DEFAULT_CHANNELS[0]
    if channel.is_personal:
        return private("You can't remove someone from a direct message channel.")
    if not typed.may_manage("members"):
        return private("You don't have the appropriate permissions to remove the member.")
    if not typed.text:
        return private("A message must be provided with the /remove or /kick command.")
    user = _named_user(typed, typed.text.split(" ")[0])
    if user is None:
        return private(NO_USER)
    if call.state.channels.member(channel.id, user.id) is None:
        return private(f"{user.username} is not a member of this channel.")
    if channel.name == town_square and not user.is_guest:
        return private(f"Unable to remove user from the default channel {town_square}.")
    membership.leave_channel(call.site, channel, user, remover=typed.user)
    return Reply()


# --- the client ---


def _previews(collapse: str, text: str) -> Command:
    """Make the command that has images shown large or small."""

    def show(typed: Typed) -> Reply:
        preference = Preference(typed.user.id, "display_settings", "collapse_previews", collapse)
        typed.call.state.preferences.save(preference)
        row = typed.call.views.preference(preference)
        typed.call.site.publish(typed.call.site.events.preference_changed(typed.user.id, row))
        return private(text)

    return show


def _status(typed: Typed) -> Reply:
    if typed.text == "clear":
        set_custom_status(typed.call, typed.user.id, "")
        return private("Your status is cleared.")
    emoji, text = "speech_balloon", typed.text
    if match := EMOJI_FIRST.match(text):
        emoji, text = match[1], text[match.end() :]
    say_of_self(typed.call, typed.user.id, {"emoji": emoji, "text": text})
    told = f"Your status is set to “:{emoji}: {text}”. You can change your status from the status popover "
    return private(f"{told}in the channel sidebar header.")


def _needs(permission: str, what: str) -> Command:
    """Make a command that nobody may run: what it manages is not there."""
    return lambda _: private(f"You require `{permission}` permission to manage {what}.")


def _goes_to(place: str) -> Command:
    return lambda _: Reply(goto=place)


def not_supported(name: str) -> Command:
    """Make the command that only a client of its own can carry out."""
    return lambda _: private(f"The {name} command is not supported on your device.")


BUILT_IN: Mapping[str, Command] = {
    "away": _away,
    "online": _online,
    "offline": _offline,
    "dnd": _dnd,
    "me": _me,
    "shrug": _shrug,
    "code": _code,
    "echo": _echo,
    "msg": _message,
    "groupmsg": _message_group,
    "join": _join,
    "open": _join,
    "leave": _leave,
    "header": _changes("header", "Text must be provided with the /header command."),
    "purpose": _changes("purpose", "A message must be provided with the /purpose command."),
    "rename": _changes("display_name", "A message must be provided with the /rename command."),
    "mute": _mute,
    "invite": _invite,
    "kick": _kick,
    "remove": _kick,
    "expand": _previews("false", "Image links now expand by default"),
    "collapse": _previews("true", "Image links now collapse by default"),
    "status": _status,
    "share-channel": _needs("manage_shared_channels", "shared channels"),
    "secure-connection": _needs("manage_secure_connections", "secure connections"),
    "help": _goes_to(HELP_URL),
    "logout": _goes_to("/login"),
}
"""What each command does; the other commands in the list belong to clients."""
