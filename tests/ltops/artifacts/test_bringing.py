"""From the command line's word to an archive."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mattermost_load_test.errors import ArtifactError
from mattermost_load_test.ltops.artifacts.bringing import bring_bundle, bring_mattermost
from mattermost_load_test.ltops.artifacts.bundling import TOP, pack
from mattermost_load_test.ltops.progress import open_progress

if TYPE_CHECKING:
    from tests.ltops.artifacts.conftest import FileServer


def no_progress(done: int, total: int | None) -> None:
    """Take no notice."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Give a bundle of the agent, without its wheels."""
    top = tmp_path / TOP
    top.mkdir()
    (top / "bundle.json").write_text(json.dumps({"format": 1, "version": "7", "pythons": ["3.11"]}))
    pack(top, tmp_path / "lt.tar.gz")
    return tmp_path / "lt.tar.gz"


def test_a_bundle_from_a_file_or_an_address(file_server: FileServer, bundle: Path, tmp_path: Path) -> None:
    """Both are looked into before anything is made of them."""
    file_server.files["/lt.tar.gz"] = bundle.read_bytes()
    cache = tmp_path / "cache"
    assert bring_bundle(str(bundle), cache, {}, no_progress).path == bundle
    assert bring_bundle(file_server.url + "/lt.tar.gz", cache, {}, no_progress).version == "7"
    environment = {"LTOPS_URL_LOADTESTS": file_server.url + "/lt.tar.gz"}
    assert bring_bundle("master", cache, environment, no_progress).version == "7"


def test_a_download_is_told_of(file_server: FileServer, bundle: Path, tmp_path: Path) -> None:
    """How far it is goes to the screen and the cluster's log, without what the address may hold; a file is none."""
    file_server.files["/lt.tar.gz"] = bundle.read_bytes()
    address = file_server.url + "/lt.tar.gz?signature=sesame"
    screen = io.StringIO()
    with open_progress(screen, tmp_path, verbose=True) as progress:
        for reference in (str(bundle), address, address):
            with progress.downloading(reference) as download:
                bring_bundle(reference, tmp_path / "cache", {}, download)
    shown = f"download {file_server.url}/lt.tar.gz"
    size = f"{len(file_server.files['/lt.tar.gz']) / 1e6:.1f} MB"
    assert screen.getvalue() == f"  archive  {shown}: 0.0 MB of {size} (0%)\n✓ archive  {shown}, {size}\n"
    assert shown in (tmp_path / "ltops.log").read_text()
    assert "sesame" not in (tmp_path / "ltops.log").read_text()


def test_a_download_that_fails_is_told_of(file_server: FileServer, tmp_path: Path) -> None:
    """With what is here of it."""
    file_server.files["/lt.tar.gz"] = b"x" * 200_000
    file_server.content_type, screen = "application/gzip", io.StringIO()
    with (
        pytest.raises(ArtifactError),
        open_progress(screen, tmp_path, verbose=False) as progress,
        progress.downloading(file_server.url + "/lt.tar.gz") as download,
    ):
        bring_bundle(file_server.url + "/lt.tar.gz", tmp_path / "cache", {}, download)
    assert screen.getvalue() == f"✗ archive  download {file_server.url}/lt.tar.gz: 0.2 MB are here\n"


def test_a_release_that_turns_out_to_be_something_else(file_server: FileServer, bundle: Path, tmp_path: Path) -> None:
    """An archive is known by what is in it, not by its name."""
    file_server.files["/5.37.0"] = bundle.read_bytes()
    environment = {"LTOPS_URL_RELEASE": file_server.url + "/{version}"}
    with pytest.raises(ArtifactError, match="is a bundle of the agent, not a Mattermost"):
        bring_mattermost("5.37.0", tmp_path / "cache", environment, no_progress)
