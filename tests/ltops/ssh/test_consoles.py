"""Host keys as the consoles of instances show them, a real OpenSSH being the host, a server that speaks as EC2 does."""

from __future__ import annotations

import getpass
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from tests.ltops.ssh.conftest import Sshd, new_key
from tests.ltops.terraform.conftest import (
    CREDENTIALS,
    REGION,
    Answer,
    Refusing,
    as_ec2_answer,
    as_ec2_error,
    console,
    serving,
)

from mattermost_load_test.errors import CloudError, HostError
from mattermost_load_test.logs import Log
from mattermost_load_test.ltops.aws.account import Account
from mattermost_load_test.ltops.aws.consoles import shown_key
from mattermost_load_test.ltops.hosts.connections import login_of
from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.terraform_aws.pinning import pin_shown
from mattermost_load_test.ltops.ssh.commands import run
from mattermost_load_test.ltops.ssh.connection import Connection

RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 root@ip-10-77-0-12"


@dataclass
class Ec2:
    """EC2, which tells what `shown` says of an instance; `said` is what was told of it here."""

    server: Refusing
    shown: dict[str, str] = field(default_factory=dict)
    said: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.server.answers["GetConsoleOutput"] = self.answer

    def answer(self, body: str) -> Answer:
        """Return what a console shows."""
        found = re.search(r"InstanceId=([\w-]+)", body)
        assert found is not None
        return as_ec2_answer(self.shown.get(found[1], "[    0.000000] Linux version 6.8.0-1031-aws"))

    def pin(self, fleet: Fleet, wait_s: float = 0) -> str:
        """Pin what is shown, and return what was said of it."""
        progress = Progress(Console(file=self.said, width=200), Log(), None, verbose=False)
        ids = {host.name: f"i-{host.name}" for host in fleet.hosts}
        pin_shown(fleet, ids, Account("", REGION), progress, wait_s, pause_s=0.05)
        return self.said.getvalue()


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ec2]:
    """Give such a server, which boto3 is led to."""
    with serving(Refusing()) as server:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        yield Ec2(server)


FleetOf = Callable[..., Fleet]


@pytest.fixture
def fleet_of(sshd: Sshd, tmp_path: Path) -> FleetOf:
    """Give what makes a fleet of the one host there is, under these names of loopback."""

    def make(*addresses: str) -> Fleet:
        hosts = [Host(f"app-{n}", "app", n, one, one, sshd.port) for n, one in enumerate(addresses)]
        return Fleet("demo", hosts, getpass.getuser(), sshd.key, tmp_path / "known_hosts")

    return make


def public_key(path: Path) -> str:
    """Return the public key of a key's file, without its comment."""
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def connects(fleet: Fleet) -> bool:
    """Say whether the first host lets us in; raises `HostError`."""
    connection = Connection(login_of(fleet, fleet.hosts[0]))
    try:
        return run(connection, "echo hello").text == "hello"
    finally:
        connection.close()


def test_a_host_with_the_key_that_its_console_shows(ec2: Ec2, fleet_of: FleetOf, sshd: Sshd) -> None:
    """It is pinned before anybody connects, says where from, and lets us in; the next time nobody is asked."""
    fleet = fleet_of("127.0.0.1")
    ec2.shown["i-app-0"] = console(RSA, f"{public_key(sshd.host_key)} root@ip-10-77-0-12")
    assert ec2.pin(fleet).strip() == "Host keys pinned as the instances' consoles show them: app-0"
    pinned = f"[127.0.0.1]:{sshd.port} {public_key(sshd.host_key)} instance console\n"
    assert fleet.known_hosts_file.read_text() == pinned
    assert connects(fleet)
    assert fleet.known_hosts_file.read_text() == pinned
    ec2.pin(fleet)
    assert ec2.server.asked == ["GetConsoleOutput"]


def test_a_host_with_another_key_than_its_console_shows(ec2: Ec2, fleet_of: FleetOf, sshd: Sshd) -> None:
    """It is refused at the first connection already: somebody may listen in."""
    fleet = fleet_of("127.0.0.1")
    ec2.shown["i-app-0"] = console(public_key(new_key(sshd.folder / "other")))
    ec2.pin(fleet)
    with pytest.raises(HostError, match="another key than the one it is known by"):
        connects(fleet)


def test_a_console_that_is_behind(ec2: Ec2, fleet_of: FleetOf, sshd: Sshd) -> None:
    """It is asked again until it shows the key."""
    fleet = fleet_of("127.0.0.1")
    assert "yet: app-0; `ltops deploy` looks again" in ec2.pin(fleet)
    assert not fleet.known_hosts_file.exists()
    ec2.shown["i-app-0"] = console(public_key(sshd.host_key))
    ec2.server.answers["GetConsoleOutput"] = lambda body: (
        ec2.answer(body) if len(ec2.server.asked) > 3 else as_ec2_answer("")
    )
    assert "show them: app-0\n" in ec2.pin(fleet, wait_s=60)
    assert len(ec2.server.asked) == 4


def test_a_console_that_shows_no_key(ec2: Ec2, fleet_of: FleetOf, sshd: Sshd) -> None:
    """After the time given its host is pinned when it is met; of which host it is which way is told and kept."""
    fleet = fleet_of("127.0.0.1", "127.0.0.2")
    ec2.shown["i-app-1"] = console(public_key(sshd.host_key))
    said = ec2.pin(fleet, wait_s=0.3)
    assert "show them: app-1\n" in said
    assert "consoles within 0.3 s: app-0; they are pinned at the first connection" in said
    assert connects(fleet)
    sources = [line.split(" ", 3)[3] for line in fleet.known_hosts_file.read_text().splitlines()]
    assert sources == ["instance console", "first connection"]


def test_a_type_without_nitro(ec2: Ec2, fleet_of: FleetOf, sshd: Sshd) -> None:
    """AWS refuses to tell what its console shows now; what it kept of it is taken."""
    fleet = fleet_of("127.0.0.1")
    ec2.shown["i-app-0"] = console(public_key(sshd.host_key))
    ec2.server.answers["GetConsoleOutput"] = lambda body: (
        as_ec2_error(400, "UnsupportedOperation") if "Latest=true" in body else ec2.answer(body)
    )
    assert "show them: app-0" in ec2.pin(fleet)


def test_a_console_that_we_may_not_read(ec2: Ec2, fleet_of: FleetOf) -> None:
    """AWS's word for it is told."""
    ec2.server.answers["GetConsoleOutput"] = as_ec2_error(403, "UnauthorizedOperation")
    with pytest.raises(CloudError, match="GetConsoleOutput: UnauthorizedOperation"):
        ec2.pin(fleet_of("127.0.0.1"))


def test_what_consoles_show(tmp_path: Path) -> None:
    """The keys of the last boot count, and only whole ones: the kernel writes in between."""
    old, new = public_key(new_key(tmp_path / "old")), public_key(new_key(tmp_path / "new"))
    for text, expected in (
        ("", None),
        (console(), None),
        (console(new).partition("-----END SSH HOST KEY KEYS")[0], None),
        (console(old) + console(RSA, new), new),
        (console(f"[   21.7] {new}"), new),
        (console(f"{new[:50]}[   21.8] random: crng init done{new[50:]}"), None),
        (console(new[:72], new[72:]), None),
    ):
        key = shown_key(text)
        assert (key and f"{key.get_name()} {key.get_base64()}") == expected, text
