"""Hosts, a network and a database that stand in for a cloud, and `ltops` as it sees them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from tests.hosts import image, world
from tests.loadtest.database.servers import Postgres, postgres_programs
from tests.ltops.command import Command

HOSTS = {
    "app-0": "172.31.0.10",
    "proxy-0": "172.31.0.20",
    "metrics-0": "172.31.0.30",
    "loadtest-0": "172.31.0.40",
    "loadtest-1": "172.31.0.41",
}
MODULE = Path(__file__).with_name("module")
CERTIFIED = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=db")
AUTHORIZED = f"/home/{image.ACCOUNT}/.ssh/authorized_keys"
TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "unshare": "util-linux",
    "ssh-keygen": "openssh-client",
    "psql": "postgresql",
    "openssl": "openssl",
}


def lacking() -> str:
    """Return why hosts cannot be made on this machine, and what brings what is missing; empty when they can."""
    if os.geteuid() != 0:
        return "hosts in namespaces are made by root only: sudo make test PYTEST_ARGS=tests/hosts"
    packages = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if shutil.which("terraform") is None:
        return "there is no terraform: https://developer.hashicorp.com/terraform/install"
    return f"hosts need programs that are not here: apt-get install {' '.join(packages)}" if packages else ""


_PREFIX = "lt-hosts-"


def _remove_leftovers() -> None:
    """Remove what earlier ones left on the disk whose process was killed; their hosts ended with it."""
    for folder in Path("/var/tmp").glob(f"{_PREFIX}*"):
        owner = folder / "owner"
        if owner.is_file() and not psutil.pid_exists(int(owner.read_text() or 0)):
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder, and the control groups of its hosts, which hold nothing any more."""
    for top in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")):
        for hierarchy in top.glob(f"{_PREFIX}{folder.name}-*"):
            for group in sorted(hierarchy.glob("**/"), reverse=True):
                group.rmdir()
    shutil.rmtree(folder, ignore_errors=True)


class Stage(Command):
    """Hosts that run while the context lasts; all of them end with this process, however it ends."""

    deadline_s = 400.0

    def __init__(self, hosts: dict[str, str]) -> None:
        self.hosts = hosts
        _remove_leftovers()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/var/tmp"))
        super().__init__(folder / "home", folder)
        (self.folder / "owner").write_text(str(os.getpid()))
        self.folder.chmod(0o755)
        self.environment |= {
            "LTOPS_TERRAFORM_MODULE": str(MODULE),
            "TF_VAR_stand_ins": json.dumps(
                {"addresses": hosts, "ssh_user": image.ACCOUNT, "database": {"address": world.HERE, "port": 5432}}
            ),
        }
        self._world: subprocess.Popen[bytes] | None = None
        self._inner = 0

    def __enter__(self) -> Stage:
        database = self._database()
        description = self.folder / "world.json"
        with Path("/proc/self/ns/net").open("rb") as outside, (self.folder / "world.log").open("wb") as log:
            said = {
                "image": str(image.root()),
                "hosts": self.hosts,
                "outside": outside.fileno(),
                "database": {"account": database.account, "command": database.command},
            }
            description.write_text(json.dumps(said))
            separate = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
            self._world = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *separate, sys.executable, world.__file__, str(description)],
                pass_fds=[outside.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self.until((self.folder / "ready").exists, "hosts are started")
        (inner,) = Path(f"/proc/{self._world.pid}/task/{self._world.pid}/children").read_text().split()
        self._inner = int(inner)
        self.until(database.answers, "the database answers")
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._world is not None
        self._world.kill()
        self._world.wait()
        self._world = None
        self.until(lambda: not Path(f"/proc/{self._inner}").exists(), "hosts are gone")
        _remove(self.folder)

    @property
    def inside(self) -> tuple[str, ...]:
        """The beginning of a command that is run in the network of the hosts."""
        return ("nsenter", f"--net=/proc/{self._inner}/ns/net")

    def check(self) -> None:
        """Raise `AssertionError` where the hosts are gone."""
        assert self._world is None or self._world.poll() is None, (self.folder / "world.log").read_text()

    def on(self, host: str, script: str) -> str:
        """Run lines of shell on a host as root, past SSH, and return what they print."""
        ran = subprocess.run(
            ["nsenter", "--target", str(self._leader(host)), "--all", "sh", "-euc", script],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, f"{host}: {script}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def admit(self, name: str) -> None:
        """Do what a cloud does with what a cluster was made of: its key opens the hosts, its password the database."""
        key = (self.home / name / "id_ed25519.pub").read_text().strip()
        for host in self.hosts:
            self.until(lambda host=host: self._leader(host), f"{host} is up")
            self.on(host, f"install -m 600 -o {image.ACCOUNT} /dev/stdin {AUTHORIZED} <<E\n{key}\nE")
        password = self.state(name)["details"]["db_password"]
        with self._postgres._connect("postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'mattermost'").fetchone() is None:
                connection.execute("CREATE DATABASE mattermost")
            connection.execute(f"ALTER USER mmuser PASSWORD '{password}'")  # type: ignore[arg-type]

    def _leader(self, host: str) -> int:
        """Return the process that is the first of a host, 0 while there is none."""
        for process in psutil.Process(self._inner).children(recursive=True):
            if f"--machine={host}" in process.cmdline() and process.name() == "systemd-nspawn":
                return next((child.pid for child in process.children() if child.name() == "systemd"), 0)
        return 0

    def _database(self) -> Postgres:
        """Make a PostgreSQL that is reached as RDS is: over TLS, by password."""
        place = Path(tempfile.mkdtemp(prefix="db-", dir=self.folder))
        database = Postgres(place, postgres_programs())
        database.port = 5432
        certificate, key = place / "server.crt", place / "server.key"
        subprocess.run([*CERTIFIED, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        for path in (certificate, key):
            shutil.chown(path, database.account, database.account)
            path.chmod(0o600)
        with (place / "data/pg_hba.conf").open("a") as rules:
            rules.write("hostssl all all 172.31.0.0/24 scram-sha-256\n")
        database.command[database.command.index("-p") + 1] = "5432"
        database.command[database.command.index("listen_addresses=127.0.0.1")] = f"listen_addresses={world.HERE}"
        database.command += ["-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={key}"]
        self._postgres = database
        return database
