"""Files put on a host, against a real OpenSSH: whole or not at all, over bad lines, on a full disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ltops.ssh.conftest import Line, Sshd, by

from mattermost_load_test.errors import OutputError
from mattermost_load_test.ltops.digests import digest_of
from mattermost_load_test.ltops.ssh import uploads
from mattermost_load_test.ltops.ssh.connection import Connection, Login
from mattermost_load_test.ltops.ssh.uploads import RemoteFile, upload, write_files

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files are put in place as root: sudo make test")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Give a file of three megabytes."""
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(os.urandom(3_000_000))
    return path


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Give the folder that uploads go to."""
    return str(tmp_path / "uploads")


def test_a_file_arrives_once(connection: Connection, archive: Path, place: str) -> None:
    """It lies there under its checksum; the second time nothing is sent."""
    told: list[str] = []
    target = upload(connection, archive, digest_of(archive), told.append, place)
    assert Path(target).read_bytes() == archive.read_bytes()
    assert told[-1] == "3 of 3 MB sent"
    inode = Path(target).stat().st_ino
    told.clear()
    assert upload(connection, archive, digest_of(archive), told.append, place) == target
    assert (told, Path(target).stat().st_ino) == ([], inode)


def test_a_damaged_file_is_sent_again(connection: Connection, archive: Path, place: str) -> None:
    """What lies there under its name is not believed."""
    target = Path(upload(connection, archive, digest_of(archive), lambda words: None, place))
    target.write_bytes(b"damaged")
    upload(connection, archive, digest_of(archive), lambda words: None, place)
    assert target.read_bytes() == archive.read_bytes()


def test_a_connection_that_drops_midway(login: Login, sshd: Sshd, archive: Path, place: str) -> None:
    """It goes on where it was cut off, and is whole."""
    with Line(sshd.port, bytes_per_s=3_000_000, cut_after=1_500_000) as line:
        connection = by(login, line)
        target = upload(connection, archive, digest_of(archive), lambda words: None, place)
        connection.close()
    assert Path(target).read_bytes() == archive.read_bytes()
    assert line.carried < 4_000_000


def test_a_slow_host(login: Login, sshd: Sshd, archive: Path, place: str) -> None:
    """It is told how far it is."""
    told: list[str] = []
    with Line(sshd.port, bytes_per_s=3_000_000) as line:
        connection = by(login, line)
        target = upload(connection, archive, digest_of(archive), told.append, place)
        connection.close()
    assert Path(target).read_bytes() == archive.read_bytes()
    assert len(told) == 10


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of a megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(connection: Connection, archive: Path, small: Path) -> None:
    """It is named with the host and what was to be written; nothing half-made is left, what was there is whole."""
    (small / "settings").write_text("before")
    with pytest.raises(OutputError, match=r"archive.tar.gz \(3 MB\) could not be uploaded on app-0.*No space left"):
        upload(connection, archive, digest_of(archive), lambda words: None, str(small / "uploads"))
    assert list((small / "uploads").iterdir()) == []
    with pytest.raises(OutputError, match=r"files could not be written on app-0.*No space left.*make room"):
        write_files(connection, [RemoteFile(str(small / "settings"), os.urandom(2_000_000))])
    assert (small / "settings").read_text() == "before"
    assert [path.name for path in small.iterdir() if path.is_file()] == ["settings"]


def test_small_files(connection: Connection, tmp_path: Path) -> None:
    """They have content, mode and owner; folders are made; the content is not logged."""
    files = [
        RemoteFile(str(tmp_path / "new folder" / "it's"), b"secret", 0o640, "root", "daemon"),
        RemoteFile(str(tmp_path / "plain"), b"\x00\xff", 0o600),
    ]
    (tmp_path / "plain").write_text("before")
    write_files(connection, files)
    written = tmp_path / "new folder" / "it's"
    assert (written.read_bytes(), oct(written.stat().st_mode & 0o777), written.group()) == (
        b"secret",
        "0o640",
        "daemon",
    )
    assert (tmp_path / "plain").read_bytes() == b"\x00\xff"
    assert not any("secret" in line for line in connection.lines)  # type: ignore[attr-defined]


def test_where_uploads_go() -> None:
    """Their folder is ours alone on a host."""
    assert uploads.UPLOADS.startswith("/var/lib/ltops/")
