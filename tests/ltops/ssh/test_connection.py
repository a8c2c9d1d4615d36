"""Connections to hosts, against a real OpenSSH: keys, hosts that come up late or never, what is lost."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from tests.ltops.ssh.conftest import Sshd, new_key

from mattermost_load_test.errors import HostError, OperationError, UsageError
from mattermost_load_test.ltops.ssh.commands import run, run_well
from mattermost_load_test.ltops.ssh.connection import Connection, Login


def test_a_host_is_pinned_when_it_is_met(connection: Connection, sshd: Sshd) -> None:
    """Its key is kept, for us only, with where it is from, and what it is compared with later on."""
    assert run(connection, "echo hello").text == "hello"
    known = connection.login.known_hosts_file
    kind, key = sshd.host_key.with_suffix(".pub").read_text().split()[:2]
    assert known.read_text() == f"[127.0.0.1]:{sshd.port} {kind} {key} first connection\n"
    assert stat.S_IMODE(known.stat().st_mode) == 0o600


def test_a_host_with_another_key_is_refused(connection: Connection, sshd: Sshd) -> None:
    """Somebody may listen in: it is not tried again, and the message says how to forget the old key."""
    other = new_key(sshd.folder / "other").with_suffix(".pub").read_text()
    connection.login.known_hosts_file.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    begun_s = time.monotonic()
    with pytest.raises(HostError, match=r"another key than the one it is known by.*ssh-keygen -f .* -R"):
        connection.wait_until_up(lambda words: None, 60)
    assert time.monotonic() - begun_s < 30


def test_many_meet_a_host_at_once(login: Login) -> None:
    """Its key is added once."""
    connections = [Connection(login) for _ in range(6)]
    threads = [threading.Thread(target=connection.transport) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    assert len(login.known_hosts_file.read_text().splitlines()) == 1


def test_a_key_that_others_can_read_is_refused(connection: Connection, sshd: Sshd) -> None:
    """The message has its mode and the command that mends it."""
    sshd.key.chmod(0o644)
    with pytest.raises(UsageError, match=r"others can read the key .*user \(its mode is 0644\).*chmod 600 .*user"):
        connection.transport()


def test_a_key_that_is_none(connection: Connection, sshd: Sshd) -> None:
    """A file that holds no key is named."""
    sshd.key.write_text("nothing")
    with pytest.raises(UsageError, match="is no ed25519 key without a passphrase"):
        connection.transport()


def test_a_host_that_comes_up_late(connection: Connection, sshd: Sshd) -> None:
    """It is tried with growing pauses, and told, until it lets us in."""
    sshd.stop()
    told: list[str] = []
    starting = threading.Timer(1.5, sshd.start)
    starting.start()
    connection.wait_until_up(told.append, 30)
    starting.join()
    assert run(connection, "true").code == 0
    assert told
    assert told[0].startswith("waiting for it to answer")


def test_a_host_that_never_comes_up(connection: Connection, sshd: Sshd) -> None:
    """After the time it is given it is named, with why, as unreachable."""
    sshd.stop()
    why = r"app-0 \(.*\) cannot be reached by SSH: .*refused.*tried for \d+ s: see that it runs"
    with pytest.raises(HostError, match=why) as raised:
        connection.wait_until_up(lambda words: None, 0.8)
    assert raised.value.exit_code == 3


def test_a_host_that_does_not_answer_at_all(login: Login) -> None:
    """As behind a firewall that lets others in: what may be done about it is told while it is waited for, too."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())  # there is no room for another, whose packets are dropped
        silent = replace(login, port=listener.getsockname()[1], if_silent="knock")
        told: list[str] = []
        with pytest.raises(HostError, match=r"app-0 .* by SSH: nothing answers; knock; it was tried for \d+ s"):
            Connection(silent, connect_s=0.4).wait_until_up(told.append, 1)
    assert told[0].endswith("; knock")


def test_a_host_that_is_waited_for_no_longer(connection: Connection, sshd: Sshd) -> None:
    """Who is told to leave off does, in the middle of a pause."""
    sshd.stop()
    left = threading.Event()
    with pytest.raises(HostError, match="tried for 0 s"):
        connection.wait_until_up(lambda words: left.set(), 300, left)


def test_a_host_that_does_not_take_the_key(login: Login, sshd: Sshd) -> None:
    """The key is named."""
    other = new_key(sshd.folder / "other")
    connection = Connection(replace(login, key_file=other))
    with pytest.raises(HostError, match=r"does not take the key .*other"):
        connection.wait_until_up(lambda words: None, 0.5)


def test_a_connection_that_breaks(connection: Connection, sshd: Sshd) -> None:
    """The command that is under way says so; the next connects again."""
    assert run(connection, "true").code == 0
    breaking = threading.Timer(0.5, sshd.cut)
    breaking.start()
    with pytest.raises(HostError, match=r"the connection to app-0 .* was lost"):
        run(connection, "sleep 30")
    breaking.join()
    assert run(connection, "echo again").text == "again"


def test_commands(connection: Connection) -> None:
    """Output, complaints, exit codes and input come across; the input is not logged."""
    ended = run(connection, "cat; echo out; echo complaint >&2; exit 3", b"a secret\n")
    assert (ended.code, ended.text, ended.complaint) == (3, "a secret\nout", "complaint\n")
    with pytest.raises(OperationError, match=r"app-0: exit code 4 of `exit 4`: it said nothing"):
        run_well(connection, "exit 4")
    big = run(connection, "head -c 5000000 /dev/zero; seq 200000 >&2")
    assert (len(big.output), big.complaint.splitlines()[-1]) == (5_000_000, "200000")
    with pytest.raises(OperationError, match=r"not done within 0\.5 s"):
        run(connection, "sleep 20", timeout_s=0.5)
    lines: list[str] = connection.lines  # type: ignore[attr-defined]
    assert any("cat; echo out" in line for line in lines)
    assert not any("secret" in line for line in lines[:1])


RESET = """
import paramiko, sys
import {module}
try:
    paramiko.Transport(("127.0.0.1", int(sys.argv[1]))).start_client(timeout=20)
except paramiko.SSHException as error:
    print(error)
"""


@pytest.mark.parametrize("module", ["ltops.ssh.connection", "loadtest.host.over_ssh"])
def test_what_breaks_before_it_is_there_is_an_error_and_no_traceback(module: str) -> None:
    """A host that hangs up at once, as one that is just being started, shows nothing beside our own message."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        script = RESET.format(module=f"mattermost_load_test.{module}")
        command = [sys.executable, "-c", script, str(listening.getsockname()[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
            listening.accept()[0].close()
            stdout, stderr = asking.communicate(timeout=60)
    assert "SSH protocol banner" in stdout
    assert stderr == ""
