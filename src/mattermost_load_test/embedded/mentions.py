"""Who is mentioned in a message, and what else stands in it: channel links and hashtags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import DIRECT, Channel, ChannelMember
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.presence import ONLINE

CHANNEL_WIDE = frozenset(("@all", "@channel", "@here"))
"""What mentions all members of a channel, or all that are online."""

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"(?<!\w)~([a-zA-Z0-9._-]+)")
_HASHTAG = re.compile(r"(?<![\w#])#(?=[^\W\d_])[\w\-.]*\w")
_WORD = re.compile(r"[\w:.\-@]+")
_PARTS = re.compile(r"[.\-:]")


@dataclass(slots=True)
class Mentions:
    """Ids of the mentioned members of a channel: by a word of their own, because all were called, as taking part.

    `outside` holds the names called that are no members'.
    """

    by_name: set[str] = field(default_factory=set)
    by_channel: set[str] = field(default_factory=set)
    by_thread: set[str] = field(default_factory=set)
    outside: list[str] = field(default_factory=list)

    @property
    def called(self) -> set[str]:
        """Return everybody whom the post itself mentions."""
        return self.by_name | self.by_channel

    @property
    def all(self) -> set[str]:
        """Return everybody mentioned."""
        return self.called | self.by_thread

    def forget(self, user_id: str) -> None:
        """Take a user from the mentioned ones."""
        for found in (self.by_name, self.by_channel, self.by_thread):
            found.discard(user_id)


def mentioned(state: State, post: Post, channel: Channel, *, channel_wide: bool) -> Mentions:
    """Find the members of the channel whom a post mentions; `channel_wide` allows ``@all`` and its like."""
    found = Mentions()
    members = state.channels.members(channel.id)
    from_webhook = post.props.get("from_webhook") == "true"
    if channel.type == DIRECT:
        found.by_name = {user_id for user_id in channel.name.split("__") if user_id in members}
    else:
        for text in _texts(post):
            _Search(state, channel.id, found, channel_wide=channel_wide).read(text)
        if post.type == "system_add_to_channel":
            found.by_name.add(str(post.props.get("addedUserId")))
        if post.root_id:
            found.by_thread = _taking_part(state, post, members.keys())
    if not from_webhook:
        found.forget(post.user_id)
    return found


def _texts(post: Post) -> Iterator[str]:
    """Give what of a post can mention people."""
    yield post.message
    for attachment in post.props.get("attachments") or ():
        for name in ("pretext", "text"):
            if attachment.get(name):
                yield attachment[name]


def _taking_part(state: State, reply: Post, members: AbstractSet[str]) -> set[str]:
    """Find the members who wish to be told of every reply in a thread that they began or wrote in."""
    thread = state.threads.get(reply.root_id)
    if thread is None:
        return set()
    wishes: dict[str, tuple[str, ...]] = {thread.root.user_id: ("any", "root")}
    wishes |= {other.user_id: ("any",) for other in thread.replies if other.user_id not in wishes}
    by_id = state.users.by_id
    return {
        user_id
        for user_id, wanted in wishes.items()
        if user_id in members and by_id[user_id].notify_props.get("comments") in wanted
    }


class _Search:
    """Reads texts word by word for mentions of a channel's members."""

    def __init__(self, state: State, channel_id: str, found: Mentions, *, channel_wide: bool) -> None:
        self._state = state
        self._members = state.channels.members(channel_id)
        self._found = found
        self._channel_wide = channel_wide

    def read(self, text: str) -> None:
        """Note all mentions in a text; what stands in code mentions nobody."""
        if "@" not in text and not self._state.keywords:
            return
        for word in _WORD.findall(_CODE.sub(" ", text)):
            if not (word[0] == word[-1] == ":"):  # an emoji
                self._read_word(word.lstrip(":.-_"))

    def _read_word(self, word: str) -> None:
        if any(self._note(shorter) for shorter in _shortened(word)):
            return
        if word[:1] == "@" and word not in CHANNEL_WIDE:
            self._found.outside.append(word[1:-1] if word[-1] in ".-:" else word[1:])
            return
        for part in _PARTS.split(word) if _PARTS.search(word) else ():
            if part and not self._note(part) and part[0] == "@" and part not in CHANNEL_WIDE:
                self._found.outside.append(part[1:])

    def _note(self, word: str) -> bool:
        """Note whom a word mentions; tell whether it mentions anybody."""
        lower = word.lower()
        if lower in CHANNEL_WIDE:
            called = self._called(lower) if self._channel_wide else set()
            self._found.by_channel |= called
            return bool(called)
        meant = self._state.keywords.get(lower, set()) & self._members.keys()
        if lower[:1] == "@":
            user = self._state.users.by_username.get(lower[1:])
            if user is not None and user.id in self._members and not user.delete_at:
                meant = meant | {user.id}
        self._found.by_name |= meant
        return bool(meant)

    def _called(self, word: str) -> set[str]:
        """Return the members who listen when all are called."""
        return {
            member.user_id
            for member in self._members.values()
            if self._state.users.by_id[member.user_id].notify_props.get("channel") == "true"
            and not _ignores(member)
            and (word != "@here" or self._is_online(member.user_id))
        }

    def _is_online(self, user_id: str) -> bool:
        status = self._state.statuses.get(user_id)
        return status is not None and status.status == ONLINE


def _ignores(member: ChannelMember) -> bool:
    """Tell whether a member does not listen when all of the channel are called."""
    wish = member.notify_props.get("ignore_channel_mentions", "default")
    return wish == "on" or (wish == "default" and member.notify_props.get("mark_unread") == "mention")


def _shortened(word: str) -> Iterator[str]:
    """Give a word, then the word without one and more marks at its end."""
    yield word
    while word and word[-1] in ".-:_":
        word = word[:-1]
        yield word


def linked_channels(message: str) -> list[str]:
    """Return the names of channels that a message links, as ``~name``, each once."""
    return list(dict.fromkeys(_LINK.findall(_CODE.sub(" ", message)))) if "~" in message else []


def hashtags(message: str) -> str:
    """Return the hashtags of a message, separated by blanks."""
    if "#" not in message:
        return ""
    return " ".join(tag for tag in _HASHTAG.findall(_CODE.sub(" ", message)) if len(tag) > 3)
