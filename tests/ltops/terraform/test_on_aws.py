"""Clusters made by the real Terraform with its real AWS provider; moto stands in for AWS."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("aws")

Ops = Any
"""An `Ops` of the conftest above."""

Aws = Any
"""An `Aws` of the conftest beside."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "203.0.113.7", "--max-age", "8h")
DEADLINE_S = 300


def of_cluster(aws: Aws, operation: str, key: str) -> list[Any]:
    """Return what EC2 has of the cluster, what has ended apart."""
    tagged = [{"Name": "tag:mattermost-load-test/cluster", "Values": ["demo"]}]
    found = getattr(aws.client("ec2"), operation)(Filters=tagged)[key]
    if key == "Reservations":
        instances = [instance for reservation in found for instance in reservation["Instances"]]
        return [instance for instance in instances if instance["State"]["Name"] != "terminated"]
    return list(found)


def has_said(ops: Ops, words: str) -> bool:
    """Say whether Terraform has said something in its last call."""
    output = ops.home / "demo" / "terraform" / "output.jsonl"
    return output.exists() and words in output.read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_nothing_to_nothing(on_aws: Ops, aws: Aws) -> None:
    """A creation that is interrupted, taken up, killed and taken up again ends as one that was not.

    What a lost state file knew is found by its tag; with the file back, everything is removed.
    """
    interrupted_and_killed(on_aws)
    on_aws.good(*CREATE)
    assert len(of_cluster(aws, "describe_vpcs", "Vpcs")) == 1
    assert len(of_cluster(aws, "describe_subnets", "Subnets")) == 2
    assert len(of_cluster(aws, "describe_key_pairs", "KeyPairs")) == 1
    as_it_should_be(on_aws, aws)
    shown = on_aws.good("status").stdout
    assert "demo  terraform, created" in shown
    assert "Expires" in shown

    state = on_aws.home / "demo" / "terraform" / "terraform.tfstate"
    state.rename(state.with_suffix(".aside"))
    ended = on_aws.run("delete", "-c", "demo", "--yes")
    assert ended.code == 1
    for kind in (
        "VPC vpc-",
        "instance i-",
        "DBCluster demo-",
        "DBInstance demo-0-",
        "bucket demo-files-",
        "IAM Role demo",
    ):
        assert kind in ended.error
    assert on_aws.state("demo")["phase"] == "deleting"
    state.with_suffix(".aside").rename(state)

    on_aws.good("delete", "-c", "demo", "--yes")
    assert [path.name for path in on_aws.home.iterdir()] == [".terraform-plugins"]
    assert of_cluster(aws, "describe_instances", "Reservations") == []
    assert of_cluster(aws, "describe_vpcs", "Vpcs") == []


def interrupted_and_killed(ops: Ops) -> None:
    """Begin to create twice: end it by Ctrl-C, then by a kill, once some of it is made."""
    first = ops.start(*CREATE)
    ops.until(
        lambda: has_said(ops, "aws_iam_instance_profile.app[0]: Creation complete"), "some of it is made", DEADLINE_S
    )
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=DEADLINE_S)
    assert first.returncode == 130
    assert "goes on from here" in said
    assert made_in_state(ops) >= 5
    second = ops.start(*CREATE)
    ops.until(lambda: made_in_state(ops) >= 12, "more resources are made", DEADLINE_S)
    second.kill()
    second.communicate()
    assert ops.state("demo")["phase"] == "creating"


def made_in_state(ops: Ops) -> int:
    """Return how many resources Terraform's state knows."""
    path = ops.home / "demo" / "terraform" / "terraform.tfstate"
    try:
        return len(json.loads(path.read_text())["resources"]) if path.exists() else 0
    except ValueError:  # it is just being written
        return 0


def as_it_should_be(ops: Ops, aws: Aws) -> None:
    """Check hosts, tags and who is let in."""
    hosts = of_cluster(aws, "describe_instances", "Reservations")
    assert len(hosts) == 4
    assert {host["SubnetId"] for host in hosts} == {hosts[0]["SubnetId"]}
    tags = {tag["Key"]: tag["Value"] for tag in hosts[0]["Tags"]}
    told = ops.status("demo")
    assert tags["mattermost-load-test/owner"]
    assert tags["mattermost-load-test/expires-at"] == f"{told['expires_at'][:19]}Z"
    assert {one["address"] for one in told["instances"] if one["role"] != "db"} == {
        host["PublicIpAddress"] for host in hosts
    }
    assert told["site_url"] in {f"http://{host['PublicIpAddress']}" for host in hosts}
    let_in = {
        network["CidrIp"]
        for group in of_cluster(aws, "describe_security_groups", "SecurityGroups")
        for rule in group["IpPermissions"]
        for network in rule["IpRanges"]
    }
    assert let_in == {"203.0.113.7/32"}
