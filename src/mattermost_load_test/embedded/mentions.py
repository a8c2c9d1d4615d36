"""Who is mentioned in a message, and what else stands in it: channel links and hashtags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from mattermost_load_test.embedded.state import State
from mattermost_load_test.embedded.tables.channels import DIRECT, Channel
from mattermost_load_test.embedded.tables.posts import Post

CHANNEL_WIDE = frozenset(("all", "channel", "here"))
"""Names that mention all members of a channel."""

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_NAME = re.compile(r"(?<![\w@])@([a-zA-Z0-9][a-zA-Z0-9._-]*)")
_LINK = re.compile(r"(?<!\w)~([a-zA-Z0-9._-]+)")
_HASHTAG = re.compile(r"(?<![\w#])#(?=[^\W\d_])[\w\-.]*\w")
_WORD = re.compile(r"[^\s,;:!?()\"'<>\[\]{}]+")


@dataclass(slots=True)
class Mentions:
    """Ids of the mentioned members of a channel: by their own name, and because all were called."""

    by_name: set[str] = field(default_factory=set)
    by_channel: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        """Return everybody mentioned."""
        return self.by_name | self.by_channel


def mentioned(state: State, post: Post, channel: Channel, *, channel_wide: bool) -> Mentions:
    """Find the members of the channel whom a post mentions; `channel_wide` allows ``@all`` and its like."""
    found = Mentions()
    members = state.channels.members(channel.id)
    if channel.type == DIRECT:
        found.by_name = {user_id for user_id in channel.name.split("__") if user_id in members}
    else:
        _find(state, post.message, members.keys(), found, channel_wide=channel_wide)
        if post.type == "system_add_to_channel":
            found.by_name.add(str(post.props.get("addedUserId")))
    if post.props.get("from_webhook") != "true":
        found.by_name.discard(post.user_id)
        found.by_channel.discard(post.user_id)
    return found


def _find(state: State, message: str, members: AbstractSet[str], found: Mentions, *, channel_wide: bool) -> None:
    if "@" not in message and not state.keywords:
        return
    plain = _CODE.sub(" ", message)
    for name in _NAME.findall(plain):
        for candidate in _trimmed(name.lower()):
            user = state.users.by_username.get(candidate)
            if user is not None:
                if user.id in members:
                    found.by_name.add(user.id)
                break
            if candidate in CHANNEL_WIDE:
                if channel_wide:
                    found.by_channel.update(members)
                break
    if state.keywords:
        for word in _WORD.findall(plain.lower()):
            found.by_name.update(state.keywords.get(word, set()) & members)


def _trimmed(name: str) -> Iterator[str]:
    """Give the name, then the name without punctuation at its end."""
    yield name
    while name and name[-1] in ".-_":
        name = name[:-1]
        yield name


def linked_channels(message: str) -> list[str]:
    """Return the names of channels that a message links, as ``~name``, each once."""
    return list(dict.fromkeys(_LINK.findall(_CODE.sub(" ", message)))) if "~" in message else []


def hashtags(message: str) -> str:
    """Return the hashtags of a message, separated by blanks."""
    if "#" not in message:
        return ""
    return " ".join(tag for tag in _HASHTAG.findall(_CODE.sub(" ", message)) if len(tag) > 3)
