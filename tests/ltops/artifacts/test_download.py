"""Downloads over a real socket, from a server that cuts off, forgets, lies and refuses."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mattermost_load_test.errors import DownloadError
from mattermost_load_test.ltops.artifacts.download import ATTEMPTS, Downloads, pull_request_head

if TYPE_CHECKING:
    from tests.ltops.artifacts.conftest import FileServer

BODY = os.urandom(300_000)
PATH = "/builds/mattermost.tar.gz"


class Fetch:
    """Fetches into one cache, and remembers pauses and progress."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pauses: list[float] = []
        self.seen: list[tuple[int, int | None]] = []
        self.downloads = Downloads(folder, self.pauses.append)

    def __call__(self, url: str, *, settled: bool = False) -> bytes:
        """Give the content of what was fetched."""
        return self.downloads.fetch(
            url, lambda done, total: self.seen.append((done, total)), settled=settled
        ).read_bytes()


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    """Give what fetches into an empty cache."""
    return Fetch(tmp_path / "cache")


@pytest.fixture
def served(file_server: FileServer) -> FileServer:
    """Give a server that has the file."""
    file_server.files[PATH] = BODY
    return file_server


def test_a_file_is_brought_with_progress(served: FileServer, fetch: Fetch) -> None:
    """The last that is told is that all is here."""
    assert fetch(served.url + PATH) == BODY
    assert fetch.seen[0] == (0, len(BODY))
    assert fetch.seen[-1] == (len(BODY), len(BODY))


def test_what_was_cut_off_is_gone_on_with(served: FileServer, fetch: Fetch) -> None:
    """After each reset only the rest is asked for, and the whole is right."""
    served.cut_after = [100_000, 100_000]
    assert fetch(served.url + PATH) == BODY
    ranges = [wanted for path, wanted in served.asked if path == PATH]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert ranges[1:] == ["bytes=65536-", "bytes=131072-"]
    assert len(fetch.pauses) == 2


def test_another_command_goes_on_where_one_gave_up(served: FileServer, fetch: Fetch) -> None:
    """What a failed download brought is kept, and its message says so."""
    served.cut_after = [100_000, *[0] * (ATTEMPTS - 1)]
    with pytest.raises(DownloadError, match=f"in {ATTEMPTS} attempts.*the same command goes on"):
        fetch(served.url + PATH)
    again = Fetch(fetch.folder)
    assert again(served.url + PATH) == BODY
    assert again.seen[0][0] > 0


def test_another_version_is_not_pieced_together(served: FileServer, fetch: Fetch) -> None:
    """Where the file changed between two attempts, it is brought anew."""
    served.cut_after = [100_000, *[0] * (ATTEMPTS - 1)]
    with pytest.raises(DownloadError):
        fetch(served.url + PATH)
    served.files[PATH] = BODY[::-1]
    served.etag = '"two"'
    assert fetch(served.url + PATH) == BODY[::-1]


def test_a_server_without_ranges_is_asked_for_all(served: FileServer, fetch: Fetch) -> None:
    """An answer with the whole file replaces the part that was here."""
    served.ranges = False
    served.cut_after = [50_000]
    assert fetch(served.url + PATH) == BODY


def test_a_part_from_elsewhere_is_thrown_away(served: FileServer, fetch: Fetch) -> None:
    """A server that answers another range than was asked for does not spoil the file."""
    served.cut_after = [50_000]
    served.wrong_start = 7
    assert fetch(served.url + PATH) == BODY


def test_a_wrong_length_is_noticed(served: FileServer, fetch: Fetch) -> None:
    """A body shorter than announced is never taken for the file."""
    served.extra_length = 10
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch(served.url + PATH)
    assert not list(fetch.folder.rglob("mattermost.tar.gz"))


def test_an_unchanged_file_is_brought_once(served: FileServer, fetch: Fetch) -> None:
    """The server is asked whether the copy is still good, and sends nothing."""
    assert fetch(served.url + PATH) == BODY
    fetch.seen.clear()
    assert fetch(served.url + PATH) == BODY
    assert not fetch.seen


def test_what_is_settled_is_not_asked_for_again(served: FileServer, fetch: Fetch) -> None:
    """A release in the cache needs no connection."""
    fetch(served.url + PATH)
    served.asked.clear()
    assert fetch(served.url + PATH, settled=True) == BODY
    assert not served.asked


def test_a_changed_file_is_brought_again(served: FileServer, fetch: Fetch) -> None:
    """A branch's newest build takes the place of the one in the cache."""
    fetch(served.url + PATH)
    served.files[PATH], served.etag = b"newer", '"two"'
    assert fetch(served.url + PATH) == b"newer"


def test_a_checksum_beside_the_file_is_held_to(served: FileServer, fetch: Fetch) -> None:
    """In the form of sha256sum; a file that differs is deleted."""
    served.files[PATH + ".sha256"] = f"{hashlib.sha256(BODY).hexdigest()}  mattermost.tar.gz\n".encode()
    assert fetch(served.url + PATH) == BODY
    served.files[PATH], served.etag = b"tampered", '"two"'
    with pytest.raises(DownloadError, match="damaged or was replaced"):
        fetch(served.url + PATH)
    assert not list(fetch.folder.rglob("mattermost.tar.gz"))


def test_a_checksum_in_the_address_is_held_to(served: FileServer, fetch: Fetch) -> None:
    """`#sha256=…` names what must come."""
    assert fetch(f"{served.url}{PATH}#sha256={hashlib.sha256(BODY).hexdigest()}") == BODY
    with pytest.raises(DownloadError, match="0000 was expected"):
        fetch(f"{served.url}{PATH}#sha256={'0' * 64}")


def test_a_busy_server_is_asked_again(served: FileServer, fetch: Fetch) -> None:
    """500 and 429 pass; the pauses grow."""
    served.statuses = [500, 429]
    assert fetch(served.url + PATH) == BODY
    assert fetch.pauses == [1, 2]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda server: server.files.clear(), "was answered 404: there is no such build"),
        (lambda server: server.statuses.append(403), "was answered 403: it is not open to you"),
        (lambda server: setattr(server, "content_type", "text/html; charset=utf-8"), "is a page of HTML"),
    ],
)
def test_what_cannot_be_had_is_said_at_once(
    served: FileServer, fetch: Fetch, break_it: Callable[[FileServer], object], message: str
) -> None:
    """Trying again would not help; a query, which may hold a signature, is not shown."""
    break_it(served)
    with pytest.raises(DownloadError, match=message) as caught:
        fetch(f"{served.url}{PATH}?signature=secret")
    assert "secret" not in str(caught.value)
    assert not fetch.pauses


def test_a_server_that_is_not_there(fetch: Fetch) -> None:
    """A refused connection is tried again, then told with its reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}{PATH}"
    with pytest.raises(DownloadError, match="Connection refused"):
        fetch(url)
    assert len(fetch.pauses) == ATTEMPTS - 1


def test_two_addresses_never_share_a_file(served: FileServer, fetch: Fetch) -> None:
    """The same name at two places is two files."""
    served.files["/other/mattermost.tar.gz"] = b"other"
    assert fetch(served.url + PATH) == BODY
    assert fetch(served.url + "/other/mattermost.tar.gz") == b"other"


def test_the_newest_commit_of_a_pull_request(file_server: FileServer) -> None:
    """It stands in the page of the pull request; where there is none, that is said."""
    file_server.files["/pulls/7"] = b'{"head": {"sha": "abc"}}'
    assert pull_request_head(file_server.url + "/pulls/7") == "abc"
    with pytest.raises(DownloadError, match="404"):
        pull_request_head(file_server.url + "/pulls/8")
    file_server.files["/pulls/9"] = b"<html>"
    with pytest.raises(DownloadError, match="does not tell"):
        pull_request_head(file_server.url + "/pulls/9")
