"""The file of session tokens: what is kept in it, and which files are refused."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from mattermost_load_test.errors import OutputError, TokenCacheError
from mattermost_load_test.loadtest.logins.token_cache import UserSession, open_token_cache

SERVER = "http://localhost:8065"
LINE = '{"user":1,"id":"a1","token":"t1","server":"http://localhost:8065"}\n'


def session(name: str) -> UserSession:
    """Return a session."""
    return UserSession(f"id-{name}", SecretStr(f"token-{name}"))


def cache_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    """Write a cache."""
    path = folder / "tokens"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_sessions_are_there_at_the_next_opening(tmp_path: Path) -> None:
    """The last session of a user on a server counts; a slash behind the URL makes no difference."""
    path = tmp_path / "tokens"
    with open_token_cache(path, SERVER + "/") as cache:
        assert cache.session(7) is None
        cache.keep(7, session("old"))
        cache.keep(7, session("new"))
        cache.keep(8, session("other"))
    with open_token_cache(path, SERVER) as cache:
        assert cache.session(7) == session("new")
        assert cache.session(8) == session("other")
    with open_token_cache(path, "http://elsewhere") as cache:
        assert cache.session(7) is None


def test_the_file_is_private_and_has_the_documented_form(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, one JSON object a line."""
    path = tmp_path / "tokens"
    before = os.umask(0)
    try:
        with open_token_cache(path, SERVER) as cache:
            cache.keep(7, session("a"))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"user": 7, "id": "id-a", "token": "token-a", "server": SERVER}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    """A token is as good as a password: the message says how to mend it."""
    path = cache_file(tmp_path, LINE, mode)
    with pytest.raises(TokenCacheError, match=f"mode 0{mode:o}.*chmod 600"), open_token_cache(path, SERVER):
        pass


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not JSON", "line 2: Invalid JSON"),
        ('{"user":1,"id":"a1","server":"s"}', "line 2, token: Field required"),
        ('{"user":-1,"id":"a1","token":"secret","server":"s"}', "line 2, user"),
        ('{"user":"1","id":"a1","token":"secret","server":"s"}', "line 2, user"),
        ('{"user":1,"id":"a1","token":"sec\\nret","server":"s"}', "line 2, token"),
    ],
)
def test_a_broken_line_is_named_without_its_token(tmp_path: Path, line: str, words: str) -> None:
    """File and number of the line stand in the message, the token does not."""
    path = cache_file(tmp_path, LINE + line + "\n")
    with pytest.raises(TokenCacheError) as raised, open_token_cache(path, SERVER):
        pass
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    assert "sec" not in str(raised.value)


def test_a_last_line_that_was_cut_off_is_taken_away(tmp_path: Path) -> None:
    """An agent that was killed while it wrote leaves a cache that goes on."""
    path = cache_file(tmp_path, LINE + LINE[:30])
    with open_token_cache(path, SERVER) as cache:
        cache.keep(2, session("b"))
    lines = path.read_text().splitlines(keepends=True)
    assert lines[0] == LINE
    assert json.loads(lines[1])["user"] == 2


def test_two_agents_do_not_share_a_file(tmp_path: Path) -> None:
    """The second one is told, also after the first has written the file anew."""
    path = cache_file(tmp_path, LINE * 10)
    code = (
        "import pathlib, sys\n"
        "from mattermost_load_test.loadtest.logins.token_cache import open_token_cache\n"
        "with open_token_cache(pathlib.Path(sys.argv[1]), 'http://localhost:8065'): pass\n"
    )
    with open_token_cache(path, SERVER):
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert other.returncode == 1
    assert "in use by another agent" in other.stderr


def test_a_file_of_replaced_sessions_is_written_anew(tmp_path: Path) -> None:
    """It does not grow with the number of runs; sessions of other servers stay."""
    other = LINE.replace("localhost", "elsewhere")
    path = cache_file(tmp_path, LINE * 100 + other)
    with open_token_cache(path, SERVER) as cache:
        assert cache.session(1) == UserSession("a1", SecretStr("t1"))
        cache.keep(2, session("b"))
    assert len(path.read_text().splitlines()) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["tokens"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A device or a folder holds no sessions, nor does a folder that is not there."""
    for path in (Path("/dev/null"), tmp_path, tmp_path / "missing" / "tokens"):
        with pytest.raises(TokenCacheError, match=str(path)), open_token_cache(path, SERVER):
            pass


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A session that cannot be written is an error that names the file."""
    path = cache_file(tmp_path, LINE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_token_cache(path, SERVER) as cache:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINE) + 10, hard))
        try:
            with pytest.raises(OutputError, match="cannot be written"):
                cache.keep(2, session("b"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_token_is_not_shown(tmp_path: Path) -> None:
    """A session in a message or a traceback gives nothing away."""
    assert "token-a" not in repr(session("a"))
