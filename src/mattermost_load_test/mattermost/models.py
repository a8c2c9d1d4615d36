"""What the agent reads out of a server's answers: small frozen records, and no more fields than somebody uses.

Each has a classmethod `of` that takes the decoded JSON and raises `KeyError`, `TypeError` or `AttributeError` when it
has another shape; `answers.decoded` makes an `UnexpectedAnswerError` of that. Times are milliseconds since 1970, as
the server counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A user; `delete_at` above 0 means deactivated."""

    id: str
    username: str
    email: str = ""
    nickname: str = ""
    roles: str = ""
    delete_at: int = 0

    @classmethod
    def of(cls, data: Json) -> User:
        """Read a user. Others' e-mail addresses and roles may be hidden from the asker."""
        return cls(
            data["id"],
            data["username"],
            data.get("email", ""),
            data.get("nickname", ""),
            data.get("roles", ""),
            data.get("delete_at", 0),
        )

    @property
    def is_system_admin(self) -> bool:
        """Whether the user may do everything."""
        return "system_admin" in self.roles.split()


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `scheme_id` is empty without a custom scheme, `invite_id` for those who may not invite."""

    id: str
    name: str
    display_name: str = ""
    invite_id: str = ""
    scheme_id: str = ""

    @classmethod
    def of(cls, data: Json) -> Team:
        """Read a team."""
        return cls(
            data["id"],
            data["name"],
            data.get("display_name", ""),
            data.get("invite_id", ""),
            data.get("scheme_id") or "",
        )


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A user's membership of a team; `delete_at` above 0 means that the user left."""

    team_id: str
    user_id: str
    delete_at: int = 0

    @classmethod
    def of(cls, data: Json) -> TeamMember:
        """Read a membership."""
        return cls(data["team_id"], data["user_id"], data.get("delete_at", 0))


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; `type` is O (public), P (private), D (direct) or G (group).

    `total_msg_count` is how many posts it has, replies among them, those that the system made not.
    """

    id: str
    name: str
    team_id: str
    type: str
    display_name: str = ""
    created_ms: int = 0
    total_msg_count: int = 0

    @classmethod
    def of(cls, data: Json) -> Channel:
        """Read a channel."""
        return cls(
            data["id"],
            data["name"],
            data["team_id"],
            data["type"],
            data.get("display_name", ""),
            data.get("create_at", 0),
            data.get("total_msg_count", 0),
        )


@dataclass(frozen=True, slots=True)
class ChannelMember:
    """A user's membership of a channel."""

    channel_id: str
    user_id: str

    @classmethod
    def of(cls, data: Json) -> ChannelMember:
        """Read a membership."""
        return cls(data["channel_id"], data["user_id"])


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of a post."""

    id: str
    mime_type: str

    @classmethod
    def of(cls, data: Json) -> FileInfo:
        """Read what is known of a file."""
        return cls(data["id"], data.get("mime_type", ""))

    @property
    def is_image(self) -> bool:
        """Whether clients show a thumbnail of it; the server makes none of SVG."""
        return self.mime_type.startswith("image/") and self.mime_type != "image/svg+xml"


@dataclass(frozen=True, slots=True)
class Post:
    """A post. `files` is nothing where the server sent no `metadata` (before 5.10): a client then asks for the rest."""

    id: str
    user_id: str
    channel_id: str
    root_id: str = ""
    has_reactions: bool = False
    file_ids: tuple[str, ...] = ()
    files: tuple[FileInfo, ...] | None = None

    @classmethod
    def of(cls, data: Json) -> Post:
        """Read a post."""
        metadata = data.get("metadata")
        return cls(
            data["id"],
            data["user_id"],
            data["channel_id"],
            data.get("root_id", ""),
            bool(data.get("has_reactions")),
            tuple(data.get("file_ids") or ()),
            None if metadata is None else tuple(FileInfo.of(info) for info in metadata.get("files") or ()),
        )

    @property
    def has_metadata(self) -> bool:
        """Whether the post carries its reactions, files and previews."""
        return self.files is not None


def posts_of(data: Json) -> tuple[Post, ...]:
    """Read a list of posts in the order the server gives them; roots of threads that it only adds are left out."""
    posts = data["posts"]
    return tuple(Post.of(posts[post_id]) for post_id in data["order"] or ())


@dataclass(frozen=True, slots=True)
class Role:
    """A role and what it allows."""

    id: str
    name: str
    permissions: tuple[str, ...]

    @classmethod
    def of(cls, data: Json) -> Role:
        """Read a role."""
        return cls(data["id"], data["name"], tuple(data["permissions"]))


@dataclass(frozen=True, slots=True)
class Scheme:
    """A permission scheme; `scope` is team or channel. `team_user_role` names the role of a team's members, if any."""

    id: str
    name: str
    scope: str
    team_user_role: str = ""

    @classmethod
    def of(cls, data: Json) -> Scheme:
        """Read a scheme."""
        return cls(data["id"], data["name"], data["scope"], data.get("default_team_user_role") or "")


@dataclass(frozen=True, slots=True)
class Emoji:
    """A custom emoji."""

    id: str
    name: str

    @classmethod
    def of(cls, data: Json) -> Emoji:
        """Read an emoji."""
        return cls(data["id"], data["name"])


@dataclass(frozen=True, slots=True)
class IncomingWebhook:
    """An incoming webhook: whoever knows its id can post to its channel."""

    id: str
    channel_id: str

    @classmethod
    def of(cls, data: Json) -> IncomingWebhook:
        """Read a webhook."""
        return cls(data["id"], data["channel_id"])


@dataclass(frozen=True, slots=True)
class InstalledPlugins:
    """The ids of the plugins that are installed."""

    active: tuple[str, ...]
    inactive: tuple[str, ...]

    @classmethod
    def of(cls, data: Json) -> InstalledPlugins:
        """Read the list of plugins."""
        return cls(*(tuple(plugin["id"] for plugin in data[state] or ()) for state in ("active", "inactive")))


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How many users the server allows; 0 means no limit, `hard_limit_users` is where it refuses."""

    limit_users: int
    hard_limit_users: int
    active_users: int

    @classmethod
    def of(cls, data: Json) -> ServerLimits:
        """Read the limits."""
        return cls(data.get("maxUsersLimit", 0), data.get("maxUsersHardLimit", 0), data.get("activeUserCount", 0))


@dataclass(frozen=True, slots=True)
class UploadSession:
    """An upload in parts: `offset_bytes` of `size_bytes` have arrived."""

    id: str
    filename: str
    size_bytes: int
    offset_bytes: int

    @classmethod
    def of(cls, data: Json) -> UploadSession:
        """Read an upload session."""
        return cls(data["id"], data["filename"], data["file_size"], data["file_offset"])


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the server. `status` is pending, in_progress, success, error, cancel_requested, canceled or warning."""

    id: str
    type: str
    status: str
    progress: int
    last_activity_at: int
    data: dict[str, str]

    @classmethod
    def of(cls, data: Json) -> Job:
        """Read a job."""
        return cls(
            data["id"],
            data["type"],
            data["status"],
            data.get("progress", 0),
            data.get("last_activity_at", 0),
            dict(data.get("data") or {}),
        )


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """A server's version; `at_least` compares its numbers. `build` is that of a release again, or a number."""

    major: int
    minor: int
    patch: int
    licensed: bool = False
    build: str = ""

    @classmethod
    def of(cls, version_id: str) -> ServerVersion:
        """Read the header X-Version-Id, ``<version>.<build>.<hash>.<licensed>``. Raises `ValueError` if it is none."""
        parts = version_id.split(".")
        if len(parts) < 4:
            raise ValueError(f"{version_id!r} is no version of a Mattermost")
        major, minor, patch = (int(part) for part in parts[:3])
        return cls(major, minor, patch, parts[-1] == "true", ".".join(parts[3:-2]))

    def at_least(self, major: int, minor: int = 0) -> bool:
        """Say whether this version is the given one or later."""
        return (self.major, self.minor) >= (major, minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def with_build(self) -> str:
        """The version, and which build of it this is where it is no release: ``5.38.0 build 4711``."""
        return f"{self} build {self.build}" if self.build and self.build != str(self) else str(self)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server's answer to a ping. `database` and `file_store` are empty unless they were asked for."""

    version: ServerVersion
    status: str
    database: str = ""
    file_store: str = ""
