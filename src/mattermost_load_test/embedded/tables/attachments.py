"""What hangs on posts: files and reactions; and custom emoji."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mattermost_load_test.embedded.tables.ordering import Ordered


@dataclass(slots=True)
class FileInfo:
    """An uploaded file; `post_id` is empty until a post takes it. `data` is its content."""

    id: str
    user_id: str
    channel_id: str
    create_at: int
    name: str
    extension: str
    mime_type: str
    data: bytes = field(repr=False)
    post_id: str = ""
    update_at: int = 0
    delete_at: int = 0
    width: int = 0
    height: int = 0
    has_preview_image: bool = False
    mini_preview: str | None = None

    @property
    def is_image(self) -> bool:
        """Whether it is an image."""
        return self.mime_type.startswith("image/")


@dataclass(frozen=True, slots=True)
class Reaction:
    """A user's reaction to a post."""

    user_id: str
    post_id: str
    emoji_name: str
    create_at: int
    channel_id: str


@dataclass(slots=True)
class Emoji:
    """A custom emoji; `image` is what its creator uploaded."""

    id: str
    creator_id: str
    name: str
    create_at: int
    update_at: int
    mime_type: str
    image: bytes = field(repr=False)


class AttachmentTable:
    """Files by id and by channel, reactions by post, emoji by id and name."""

    def __init__(self) -> None:
        self.files: dict[str, FileInfo] = {}
        self.file_counts: dict[str, int] = {}
        self._reactions: dict[str, dict[tuple[str, str], Reaction]] = {}
        self.pictures: dict[str, bytes] = {}
        """Pictures that users have uploaded of themselves, by user id."""
        self.emoji: dict[str, Emoji] = {}
        self.emoji_by_name: dict[str, Emoji] = {}
        self.emoji_names = Ordered()
        self.emoji_changes = 0
        """How often a custom emoji has come or gone."""
        self._contents: dict[bytes, bytes] = {}

    def kept(self, content: bytes) -> bytes:
        """Return the one copy that is kept of a file's content: load tests upload the same files over and over."""
        return self._contents.setdefault(content, content)

    def attach(self, file: FileInfo, post_id: str, channel_id: str) -> None:
        """Let a post take a file."""
        file.post_id = post_id
        self.file_counts[channel_id] = self.file_counts.get(channel_id, 0) + 1

    def forget(self, file_ids: Iterable[str]) -> None:
        """Forget the files of a deleted post."""
        for file_id in file_ids:
            file = self.files.pop(file_id, None)
            if file is not None and file.channel_id in self.file_counts:
                self.file_counts[file.channel_id] -= 1

    def of_post(self, post_file_ids: Iterable[str]) -> list[FileInfo]:
        """Return those files of a post that are there."""
        return [self.files[file_id] for file_id in post_file_ids if file_id in self.files]

    def reactions(self, post_id: str) -> list[Reaction]:
        """Return a post's reactions in the order they were made."""
        return list(self._reactions.get(post_id, {}).values())

    def react(self, reaction: Reaction) -> None:
        """Add a reaction; the same one again changes nothing."""
        key = (reaction.user_id, reaction.emoji_name)
        self._reactions.setdefault(reaction.post_id, {}).setdefault(key, reaction)

    def reaction(self, post_id: str, user_id: str, emoji_name: str) -> Reaction | None:
        """Return one reaction."""
        return self._reactions.get(post_id, {}).get((user_id, emoji_name))

    def withdraw(self, reaction: Reaction) -> None:
        """Take a reaction off."""
        self._reactions.get(reaction.post_id, {}).pop((reaction.user_id, reaction.emoji_name), None)

    def add_emoji(self, emoji: Emoji) -> None:
        """Add a custom emoji; its name is free, the caller has looked."""
        self.emoji_changes += 1
        self.emoji[emoji.id] = emoji
        self.emoji_by_name[emoji.name] = emoji
        self.emoji_names.add(emoji.name, emoji.id)

    def delete_emoji(self, emoji: Emoji) -> None:
        """Remove a custom emoji, and all reactions with it."""
        self.emoji_changes += 1
        for reactions in self._reactions.values():
            for key in [key for key in reactions if key[1] == emoji.name]:
                del reactions[key]
        del self.emoji[emoji.id], self.emoji_by_name[emoji.name]
        self.emoji_names.remove(emoji.name, emoji.id)
