"""Sessions kept between runs, since logging in 20,000 users at four a second takes over an hour.

The file is JSON Lines, one object for each session, the last one of a user on a server being the one that counts::

    {"user": 7, "id": "<user id>", "token": "<session token>", "server": "http://localhost:8065"}

`user` is the user's number in the population. A token is as good as a password: the file is made with mode 0600, and
one that others can read is refused. It is locked while it is open, so that two agents never write into one file; lines
are written as sessions come, so that a run that is killed keeps them. Sessions of other servers stay in it untouched.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from mattermost_load_test.errors import OutputError, TokenCacheError

MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WORTH_REWRITING = 2  # the file is written anew when it has so many times more lines than sessions


@dataclass(frozen=True, slots=True)
class UserSession:
    """A user's session with a server: the id that the server knows the user by, and the token, a secret."""

    user_id: str
    token: SecretStr


class _Line(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(frozen=True, strict=True)

    user: Annotated[int, Field(ge=0)]
    id: Annotated[str, Field(min_length=1)]
    token: Annotated[str, Field(min_length=1, pattern=r"^[\x21-\x7e]+$")]
    server: Annotated[str, Field(min_length=1)]


class TokenCache:
    """An open cache and the sessions of one server in it. Made by `open_token_cache`."""

    def __init__(self, path: Path, fd: int, server: str, sessions: dict[tuple[str, int], UserSession]) -> None:
        self._path = path
        self._fd = fd
        self._server = _normal(server)
        self._sessions = sessions

    def session(self, user: int) -> UserSession | None:
        """Return the session of the user of that number, None if there is none."""
        return self._sessions.get((self._server, user))

    def keep(self, user: int, session: UserSession) -> None:
        """Keep a session in place of an earlier one of that user; raises `OutputError` when it cannot be written."""
        self._sessions[self._server, user] = session
        line = _line(self._server, user, session)
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise self._unwritable(error) from error
        if written < len(line):
            raise self._unwritable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"the token cache {self._path} cannot be written: {error.strerror}; "
            "make room or name another file with --token-cache"
        )


@contextmanager
def open_token_cache(path: Path, server: str) -> Iterator[TokenCache]:
    """Open the cache at `path`, made with mode 0600 if it is not there, for the sessions of the server at that URL.

    Raises `TokenCacheError` when it cannot be opened, others can read it, it is in use, or a line is none of a cache.
    """
    fd = _opened(path)
    try:
        _check_private(path, fd)
        _lock(path, fd)
        sessions, lines = _read(path, fd)
        if lines > _WORTH_REWRITING * len(sessions):
            fd = _rewritten(path, fd, sessions)
        yield TokenCache(path, fd, server, sessions)
    finally:
        os.close(fd)


def _opened(path: Path) -> int:
    """Open the file for reading and for appending."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise TokenCacheError(
            f"the token cache {path} cannot be opened: {error.strerror}; name another file with --token-cache"
        ) from error


def _check_private(path: Path, fd: int) -> None:
    """Refuse a file that anybody else can read or write."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise TokenCacheError(f"the token cache {path} is no file")
    if found.st_mode & _OTHERS:
        raise TokenCacheError(
            f"the token cache {path} can be used by others (mode {stat.S_IMODE(found.st_mode):04o}), and a token is as "
            f"good as a password: chmod 600 {path}"
        )
    if found.st_uid != os.geteuid():
        raise TokenCacheError(f"the token cache {path} belongs to another account: name a file of your own")


def _lock(path: Path, fd: int) -> None:
    """Keep other agents off as long as the file is open."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise TokenCacheError(
            f"the token cache {path} is in use by another agent: give each agent a file of its own"
        ) from error


def _read(path: Path, fd: int) -> tuple[dict[tuple[str, int], UserSession], int]:
    """Return the sessions by server and user, and the number of lines; take away a last line that was cut off."""
    sessions: dict[tuple[str, int], UserSession] = {}
    lines = whole_bytes = 0
    with os.fdopen(os.dup(fd), "rb") as stream:
        for raw in stream:
            if not raw.endswith(b"\n"):
                os.ftruncate(fd, whole_bytes)
                break
            lines += 1
            whole_bytes += len(raw)
            line = _parsed(raw, f"{path}, line {lines}")
            sessions[_normal(line.server), line.user] = UserSession(line.id, SecretStr(line.token))
    return sessions, lines


def _parsed(raw: bytes, where: str) -> _Line:
    """Return what a line holds; the message about a broken one does not show it, for its token."""
    try:
        return _Line.model_validate_json(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f", {part}" for part in problem["loc"])
        raise TokenCacheError(
            f"the token cache {where}{place}: {problem['msg']}; remove the line, or the file: tokens are then made anew"
        ) from None


def _rewritten(path: Path, fd: int, sessions: dict[tuple[str, int], UserSession]) -> int:
    """Put a file with the sessions alone in the place of `path`, close `fd` and return the new file, locked."""
    fresh_path = path.with_name(f"{path.name}.new")
    try:
        fresh_path.unlink(missing_ok=True)
        fresh = os.open(fresh_path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, MODE)
        with os.fdopen(os.dup(fresh), "wb") as stream:
            stream.writelines(_line(server, user, session) for (server, user), session in sessions.items())
        fcntl.flock(fresh, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fresh_path.replace(path)
    except OSError as error:
        raise OutputError(f"the token cache {path} cannot be written anew: {error.strerror}") from error
    os.close(fd)
    return fresh


def _line(server: str, user: int, session: UserSession) -> bytes:
    """Return the line of a session, its end included."""
    fields = {"user": user, "id": session.user_id, "token": session.token.get_secret_value(), "server": server}
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _normal(server: str) -> str:
    """Return a server's URL as it is compared."""
    return server.rstrip("/")
