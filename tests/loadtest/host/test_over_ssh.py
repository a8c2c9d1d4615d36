"""The server's host over SSH, against a real OpenSSH: commands, files, host keys, refusals."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import ConfigurationError, ServerHostError
from mattermost_load_test.loadtest.host.over_ssh import SshAddress, ssh_host

DEADLINE_S = 20.0

OpenSsh = Any
"""An `OpenSsh` of the conftest above."""


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds. Blocks."""
    give_up_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)


@pytest.fixture
def address(openssh: OpenSsh, monkeypatch: pytest.MonkeyPatch) -> SshAddress:
    """Give the address of a real OpenSSH whose key is known in this home folder."""
    monkeypatch.setenv("HOME", str(openssh.home))
    return SshAddress("127.0.0.1", openssh.port, openssh.username, SecretStr(""), str(openssh.key))


async def test_a_command_runs_in_its_folder(address: SshAddress, tmp_path: Path) -> None:
    """Exit code and output come back, blanks and quotes in arguments survive, the shell adds nothing."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    async with ssh_host(address) as host:
        ended = await host.run(
            ("sh", "-c", 'echo "$1"; pwd; echo complaint >&2; exit 3', "sh", "it's $HOME"), str(folder)
        )
        assert ended.code == 3
        assert sorted(ended.output.splitlines()) == sorted(["it's $HOME", str(folder), "complaint"])
        assert host.name == f"{address.username}@127.0.0.1:{address.port}"


async def test_only_the_end_of_much_output_is_kept(address: SshAddress, tmp_path: Path) -> None:
    """A program that writes megabytes costs no memory, and its last words are there."""
    async with ssh_host(address) as host:
        ended = await host.run(("sh", "-c", "seq 1000000; echo last"), str(tmp_path))
    assert len(ended.output) <= 64 * 1024
    assert ended.output.endswith("1000000\nlast\n")


async def test_a_file_is_placed_and_removed(address: SshAddress, tmp_path: Path) -> None:
    """What is placed there can be read by commands, and is gone afterwards with its folder."""
    file = tmp_path / "lines.jsonl"
    content = os.urandom(300_000)
    file.write_bytes(content)
    async with ssh_host(address) as host:
        async with host.placed(file) as path:
            assert path != str(file)
            copy = Path(path)
            assert await asyncio.to_thread(copy.read_bytes) == content
        assert not copy.parent.exists()
        assert await host.has("/bin/sh")
        assert not await host.has("/bin/no such program")


async def test_a_command_ends_when_it_is_cancelled(address: SshAddress, tmp_path: Path) -> None:
    """Cancelling ends the program on the other side: nothing goes on there that nobody knows of."""
    started = tmp_path / "pid"
    async with ssh_host(address) as host:
        running = asyncio.create_task(host.run(("sh", "-c", f"echo $$ > {started}; exec sleep 100"), str(tmp_path)))
        await asyncio.to_thread(until, lambda: started.exists() and started.read_text().strip())
        pid = int(started.read_text())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.to_thread(until, lambda: not Path(f"/proc/{pid}").exists())


async def test_an_unknown_host_is_refused(address: SshAddress, openssh: OpenSsh) -> None:
    """A host whose key nobody has seen is not trusted, and the message says how to meet it."""
    openssh.known_hosts.unlink()
    with pytest.raises(ServerHostError, match=rf"not among the known hosts: log in once .*ssh -p {address.port}"):
        async with ssh_host(address):
            pass


async def test_a_host_with_another_key_is_refused(address: SshAddress, openssh: OpenSsh) -> None:
    """A changed host key may be somebody listening in."""
    other = openssh.key.with_suffix(".pub").read_text()
    openssh.known_hosts.write_text(f"[127.0.0.1]:{address.port} {other}")
    with pytest.raises(ServerHostError, match=r"another key than the one it is known by.*ssh-keygen -R"):
        async with ssh_host(address):
            pass


@pytest.fixture
def refused(address: SshAddress, openssh: OpenSsh) -> SshAddress:
    """Give the address with a key that the host does not take."""
    openssh.key.with_suffix(".pub").write_text("")
    return address


async def test_a_refused_login_says_what_to_check(refused: SshAddress) -> None:
    """The message names the keys of the configuration."""
    with pytest.raises(ServerHostError, match=r"refuses the login; check ConnectionConfiguration\.SSHUsername"):
        async with ssh_host(refused):
            pass


async def test_a_host_that_is_not_there(address: SshAddress, openssh: OpenSsh) -> None:
    """Nothing that listens, and a missing key file, are one message each."""
    nowhere = SshAddress("127.0.0.1", 1, address.username, SecretStr(""), address.key_file)
    with pytest.raises(ServerHostError, match="cannot be reached by SSH"):
        async with ssh_host(nowhere):
            pass
    keyless = SshAddress(address.host, address.port, address.username, SecretStr(""), "/no/such/key")
    with pytest.raises(ServerHostError, match=r"SSHKey"):
        async with ssh_host(keyless):
            pass


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("app.example.com", "app.example.com", 22),
        ("10.0.0.1:2222", "10.0.0.1", 2222),
        ("[::1]:23", "::1", 23),
        ("::1", "::1", 22),
    ],
)
def test_addresses_are_read_with_and_without_port(text: str, host: str, port: int) -> None:
    """IPv6 addresses with a port stand in brackets."""
    address = SshAddress.of(ConnectionConfiguration(ssh_hostname_port=text, ssh_username="me"))
    assert (address.host, address.port, address.username) == (host, port, "me")


@pytest.mark.parametrize("text", ["", ":22", "host:ssh", "host:0", "host:70000"])
def test_what_is_no_address_is_named(text: str) -> None:
    """The message shows the key and what stood there."""
    with pytest.raises(ConfigurationError, match="SSHHostnamePort"):
        SshAddress.of(ConnectionConfiguration(ssh_hostname_port=text))
