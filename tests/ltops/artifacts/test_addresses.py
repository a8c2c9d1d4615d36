"""What MATTERMOST and LOADTESTS mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from mattermost_load_test.errors import ArtifactError
from mattermost_load_test.ltops.artifacts.addresses import Addresses, loadtests_source, mattermost_source

ADDRESSES = Addresses()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def head_commit(url: str) -> str:
    """Stand for the page of a pull request."""
    assert url.endswith("/pulls/1234")
    return COMMIT


@pytest.mark.parametrize(
    ("reference", "end", "settled"),
    [
        ("latest", "latest.mattermost.com/mattermost-enterprise-linux", False),
        ("master", "/mattermost-platform/master/mattermost-enterprise-linux-amd64.tar.gz", False),
        ("release-11.6", "/mattermost-platform/release-11.6/mattermost-enterprise-linux-amd64.tar.gz", False),
        ("5.37.0", "/5.37.0/mattermost-5.37.0-linux-amd64.tar.gz", True),
        ("v11.6", "/11.6.0/mattermost-11.6.0-linux-amd64.tar.gz", True),
        ("11.0.0-rc2", "/11.0.0-rc2/mattermost-11.0.0-rc2-linux-amd64.tar.gz", True),
        ("1234", f"/mattermost/commit/{COMMIT}/mattermost-team-linux-amd64.tar.gz", True),
        (COMMIT, f"/mattermost/commit/{COMMIT}/mattermost-team-linux-amd64.tar.gz", True),
        ("https://example.com/mm.tar.gz", "https://example.com/mm.tar.gz", False),
    ],
)
def test_a_name_becomes_an_address(reference: str, end: str, settled: bool) -> None:
    """Releases and commits never change, branches do."""
    source = mattermost_source(reference, ADDRESSES, head_commit)
    assert source.url.endswith(end)
    assert source.settled is settled


def test_a_file_is_itself(tmp_path: Path) -> None:
    """By its path or as a file:// address."""
    path = tmp_path / "mm.tar.gz"
    path.touch()
    assert mattermost_source(str(path), ADDRESSES, head_commit).path == path
    assert loadtests_source(f"file://{path}", ADDRESSES).path == path


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("./missing", "there is no such file"),
        ("missing.tar.gz", "there is no such file"),
        ("/", "is a folder"),
        ("ftp://example.com/mm.tar.gz", "only http://"),
        ("a..b", "is no Mattermost"),
        ("", "is no Mattermost"),
        ("white space", "is no Mattermost"),
    ],
)
def test_what_is_nothing_is_refused(reference: str, message: str) -> None:
    """With what could be meant."""
    with pytest.raises(ArtifactError, match=message):
        mattermost_source(reference, ADDRESSES, head_commit)


def test_addresses_can_be_replaced() -> None:
    """By environment variables, one for each."""
    addresses = Addresses.of(
        {"LTOPS_URL_RELEASE": "http://mirror/{version}", "LTOPS_URL_LOADTESTS": "http://mirror/lt"}
    )
    assert mattermost_source("5.37.0", addresses, head_commit).url == "http://mirror/5.37.0"
    assert loadtests_source("master", addresses).url == "http://mirror/lt"
    assert addresses.latest == ADDRESSES.latest


def test_a_signed_address_is_named_without_its_secrets() -> None:
    """Neither user nor query appear in what is shown."""
    source = mattermost_source("https://me:pass@example.com:8443/mm.tar.gz?sig=1", ADDRESSES, head_commit)
    assert source.name == "https://example.com:8443/mm.tar.gz"


@pytest.mark.parametrize(("reference", "message"), [("master", "make package"), ("main", "is no bundle of the agent")])
def test_a_bundle_that_is_nowhere(reference: str, message: str) -> None:
    """The message says how to make one."""
    with pytest.raises(ArtifactError, match=message):
        loadtests_source(reference, ADDRESSES)
