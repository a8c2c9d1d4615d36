"""`ltops` with the module that makes nothing: its own steps, without a cloud."""

from __future__ import annotations

import json
import stat
import subprocess
from typing import Any

from mattermost_load_test.ltops.providers.terraform_aws.fleet import fleet_of
from mattermost_load_test.ltops.store import Store

Ops = Any
"""An `Ops` of the conftest above."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "127.0.0.1")


def test_a_cluster_is_made_and_removed(aside: Ops) -> None:
    """Hosts are those that the module tells of; what is secret is for the owner's eyes; nothing is left."""
    addresses = {"app-0": "192.0.2.11", "app-1": "192.0.2.12", "loadtest-0": "192.0.2.13"}
    aside.environment["TF_VAR_stand_ins"] = json.dumps({"addresses": addresses, "ssh_user": "admin"})
    aside.good(*CREATE, "--app-count", "2", "--db-count", "3", "--max-age", "8h")
    folder = aside.home / "demo"
    fleet = fleet_of(Store(aside.home).load("demo"))
    assert [host.name for host in fleet.hosts] == ["app-0", "app-1", "loadtest-0", "metrics-0", "proxy-0"]
    assert {host.name: host.address for host in fleet.hosts}.items() >= addresses.items()
    assert (fleet.ssh_user, fleet.key_file, fleet.server_url) == ("admin", folder / "id_ed25519", None)
    assert fleet.database is not None
    assert (fleet.database.readers, len(fleet.database.password.get_secret_value())) == (2, 32)
    assert str(fleet.database.password) == "**********"
    told = aside.status("demo")
    assert [one["role"] for one in told["instances"]].count("db") == 3
    assert told["expires_at"] > told["created_at"]
    for path in (folder, *(folder / "terraform").glob("terraform.*"), fleet.key_file):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not list((folder / "terraform").glob("secret*"))
    password = fleet.database.password.get_secret_value()
    assert password not in (folder / "ltops.log").read_text()
    assert password not in (folder / "terraform" / "terraform.tfvars.json").read_text()
    derived = subprocess.run(["ssh-keygen", "-y", "-f", fleet.key_file], capture_output=True, text=True, check=True)
    assert derived.stdout.split()[:2] == fleet.key_file.with_suffix(".pub").read_text().split()[:2]
    aside.good("delete", "-c", "demo", "--yes")
    assert [path.name for path in aside.home.iterdir()] == [".terraform-plugins"]


def test_agents_alone(aside: Ops) -> None:
    """With the URL of a server there are agents and metrics, and no database."""
    aside.good(*CREATE, "--server-url", "https://chat.example.com", "--loadtest-count", "2")
    fleet = fleet_of(Store(aside.home).load("demo"))
    assert [host.name for host in fleet.hosts] == ["loadtest-0", "loadtest-1", "metrics-0"]
    assert (fleet.database, fleet.bucket, fleet.server_url) == (None, None, "https://chat.example.com")
    assert aside.status("demo")["site_url"] == "https://chat.example.com"
