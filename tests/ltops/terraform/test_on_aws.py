"""Clusters made by the real Terraform with its real AWS provider; moto stands in for AWS."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest
from tests.ltops.terraform.conftest import REGION, as_ec2_error

from mattermost_load_test.ltops.aws.account import Account
from mattermost_load_test.ltops.aws.leftovers import leftovers

pytestmark = pytest.mark.xdist_group("aws")

Ops = Any
"""An `Ops` of the conftest above."""

Aws = Any
"""An `Aws` of the conftest beside."""

Refuse = Any
"""Its `Refuse`."""

CREATE = ("create", "-t", "terraform", "--allow-cidr", "203.0.113.7", "-c")
WHOLE = (*CREATE, "whole", "--max-age", "8h")
CROWDED = (*CREATE, "crowded", "--server-url", "https://chat.example.com")
AGENTS = (*CREATE, "agents", "--server-url", "https://chat.example.com")
DEADLINE_S = 300


def of_cluster(aws: Aws, name: str, operation: str, key: str) -> list[Any]:
    """Return what EC2 has of a cluster, what has ended apart."""
    tagged = [{"Name": "tag:mattermost-load-test/cluster", "Values": [name]}]
    found = getattr(aws.client("ec2"), operation)(Filters=tagged)[key]
    if key == "Reservations":
        instances = [instance for reservation in found for instance in reservation["Instances"]]
        return [instance for instance in instances if instance["State"]["Name"] != "terminated"]
    return list(found)


def let_in(aws: Aws, name: str) -> set[str]:
    """Return the networks that a cluster's security groups let in."""
    return {
        network["CidrIp"]
        for group in of_cluster(aws, name, "describe_security_groups", "SecurityGroups")
        for rule in group["IpPermissions"]
        for network in rule["IpRanges"]
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_nothing_to_nothing(on_aws: Ops, aws: Aws, refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole cluster is made and removed; another's creation is interrupted, killed, and ends as one that was not.

    A third finds no machine free at first. They are made side by side, since the provider waits most of the time: it
    takes a minute for a database to be made, and one to be removed.
    """
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    whole = on_aws.start(*WHOLE)
    crowded = crowded_out(on_aws, aws, refuse)
    interrupted_and_killed(on_aws)
    on_aws.good(*AGENTS)
    assert {kind: len(of_cluster(aws, "agents", *kind)) for kind in MADE_OF_AGENTS} == MADE_OF_AGENTS
    said = ended_well(whole)
    assert "What it costs is not known: AWS's price list" in said  # moto has none
    assert "Host keys not shown by the instances' consoles yet: app-0" in said
    as_it_should_be(on_aws, aws)
    left = {one.split()[0] for one in leftovers(Account("", REGION), "whole")}
    assert left >= {"VPC", "subnet", "instance", "volume", "DBCluster", "DBInstance", "DBSubnetGroup", "bucket", "IAM"}
    removed = on_aws.start("delete", "-c", "whole", "--yes")
    crowded = found_room(on_aws, crowded)
    another_address(on_aws, aws)
    lost_and_found(on_aws)
    ended_well(crowded)
    crowded = on_aws.start("delete", "-c", "crowded", "--yes")
    on_aws.good("delete", "-c", "agents", "--yes")
    ended_well(crowded)
    ended_well(removed)
    assert [path.name for path in on_aws.home.iterdir()] == [".terraform-plugins"]
    assert [one for name in NAMES for one in leftovers(Account("", REGION), name)] == []


NAMES = ("whole", "agents", "crowded")
MADE_OF_AGENTS = {
    ("describe_vpcs", "Vpcs"): 1,
    ("describe_subnets", "Subnets"): 2,
    ("describe_key_pairs", "KeyPairs"): 1,
    ("describe_instances", "Reservations"): 2,
}
"""How many there are of what, however often its making began."""


def ended_well(process: subprocess.Popen[str]) -> str:
    """Wait for a command, which must succeed, and return what it said."""
    _, said = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, said
    return said


def crowded_out(ops: Ops, aws: Aws, refuse: Refuse) -> subprocess.Popen[str]:
    """Begin to create hosts, of which AWS has none free, in a network that is there."""
    full = refuse({"RunInstances": as_ec2_error(500, "InsufficientInstanceCapacity")}, behind=aws.url)
    of_its_own = [{"Name": "default-for-az", "Values": ["true"]}]
    network = aws.client("ec2").describe_subnets(Filters=of_its_own)["Subnets"][0]
    there = ("--vpc-id", network["VpcId"], "--subnet-id", network["SubnetId"])
    ops.environment["AWS_ENDPOINT_URL_EC2"] = full.url
    process = ops.start(*CROWDED, *there)
    del ops.environment["AWS_ENDPOINT_URL_EC2"]
    assert isinstance(process, subprocess.Popen)
    return process


def found_room(ops: Ops, crowded: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Check that AWS's word and what to do was told, and begin the same again, with machines free."""
    _, said = crowded.communicate(timeout=DEADLINE_S)
    assert crowded.returncode == 3
    assert "InsufficientInstanceCapacity" in said
    assert "try again later" in said
    assert ops.state("crowded")["phase"] == "creating"
    process = ops.start(*list(crowded.args)[3:])
    assert isinstance(process, subprocess.Popen)
    return process


def interrupted_and_killed(ops: Ops) -> None:
    """Begin to create twice: end it by Ctrl-C, then by a kill, once some of it is made."""
    first = ops.start(*AGENTS)
    ops.until(lambda: made_in_state(ops) >= 4, "some of it is made", DEADLINE_S)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=DEADLINE_S)
    assert first.returncode == 130
    assert "goes on from here" in said
    before = made_in_state(ops)
    second = ops.start(*AGENTS)
    ops.until(lambda: made_in_state(ops) > before, "more resources are made", DEADLINE_S)
    second.kill()
    second.communicate()
    assert ops.state("agents")["phase"] == "creating"


def made_in_state(ops: Ops) -> int:
    """Return how many resources Terraform's state knows, those apart that it only looks up."""
    path = ops.home / "agents" / "terraform" / "terraform.tfstate"
    try:
        resources = json.loads(path.read_text())["resources"] if path.exists() else []
    except ValueError:  # it is just being written
        return 0
    return sum(resource["mode"] == "managed" for resource in resources)


def as_it_should_be(ops: Ops, aws: Aws) -> None:
    """Check the whole cluster's hosts, tags and who is let in."""
    hosts = of_cluster(aws, "whole", "describe_instances", "Reservations")
    assert len(hosts) == 4
    assert {host["SubnetId"] for host in hosts} == {hosts[0]["SubnetId"]}
    tags = {tag["Key"]: tag["Value"] for tag in hosts[0]["Tags"]}
    told = ops.status("whole")
    assert tags["mattermost-load-test/owner"]
    assert tags["mattermost-load-test/expires-at"] == f"{told['expires_at'][:19]}Z"
    assert {one["address"] for one in told["instances"] if one["role"] != "db"} == {
        host["PublicIpAddress"] for host in hosts
    }
    assert told["site_url"] in {f"http://{host['PublicIpAddress']}" for host in hosts}
    assert let_in(aws, "whole") == {"203.0.113.7/32"}
    shown = ops.good("status").stdout
    assert "whole  terraform, created" in shown
    assert "Expires" in shown


def another_address(ops: Ops, aws: Aws) -> None:
    """Let another in, and nobody else."""
    ops.good("allow", "-c", "agents", "--allow-cidr", "198.51.100.9")
    assert let_in(aws, "agents") == {"198.51.100.9/32"}


def lost_and_found(ops: Ops) -> None:
    """Lose Terraform's state: what it knew is found by its tag, and the cluster is kept; put it back."""
    state = ops.home / "agents" / "terraform" / "terraform.tfstate"
    state.rename(state.with_suffix(".aside"))
    ended = ops.run("delete", "-c", "agents", "--yes")
    assert ended.code == 1
    for kind in ("VPC vpc-", "instance i-", "key pair key-", "security group sg-"):
        assert kind in ended.error
    assert ops.state("agents")["phase"] == "deleting"
    state.with_suffix(".aside").rename(state)
