"""Who reaches a cluster that is there: changed by `ltops allow`, and nothing else with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.ltops.terraform.conftest import Refuse

from mattermost_load_test.ltops.providers.terraform_aws.fleet import fleet_of
from mattermost_load_test.ltops.store import Store

Ops = Any
"""An `Ops` of the conftest above."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "203.0.113.7")


def made(ops: Ops, kind: str) -> list[str]:
    """Return what Terraform's state has of a resource, by key."""
    state = json.loads((ops.home / "demo" / "terraform" / "terraform.tfstate").read_text())
    return [
        instance["index_key"]
        for resource in state["resources"]
        if resource["name"] == kind
        for instance in resource["instances"]
    ]


def test_a_new_address_is_let_in(aside: Ops, refuse: Refuse) -> None:
    """It is found out, and who was let in before is let in no more; with --add they stay.

    Whatever else is not as the module says stays so.
    """
    aside.good(*CREATE)
    variables = aside.home / "demo" / "terraform" / "terraform.tfvars.json"
    variables.write_text(json.dumps(json.loads(variables.read_text()) | {"loadtest_count": 7}))
    aside.environment["LTOPS_ADDRESS_URL"] = refuse({"*": (200, "198.51.100.9\n")}).url
    said = aside.good("allow", "-c", "demo").stderr
    assert "Let in: 198.51.100.9/32; no more: 203.0.113.7/32" in said
    assert made(aside, "let_in") == ["198.51.100.9/32"]
    assert "`ltops allow -c demo` lets that in" in fleet_of(Store(aside.home).load("demo")).if_silent
    said = aside.good("allow", "-c", "demo", "--add", "--allow-cidr", "192.0.2.0/24").stderr
    assert "Let in: 198.51.100.9/32, 192.0.2.0/24\n" in said
    assert made(aside, "let_in") == ["192.0.2.0/24", "198.51.100.9/32"]
    assert "demo lets in 198.51.100.9/32, 192.0.2.0/24: " in fleet_of(Store(aside.home).load("demo")).if_silent
    assert made(aside, "instance") == ["app-0", "loadtest-0", "metrics-0", "proxy-0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--allow-cidr", "0.0.0.0/0"), "--allow-cidr does not let in the whole internet"),
        (("--allow-cidr", "here"), "--allow-cidr must be an IPv4 address or network"),
    ],
)
def test_what_is_no_network(aside: Ops, arguments: tuple[str, ...], words: str) -> None:
    """It is named, and nothing is changed."""
    aside.good(*CREATE)
    ended = aside.run("allow", "-c", "demo", *arguments)
    assert ended.code == 2
    assert words in ended.error
    assert made(aside, "let_in") == ["203.0.113.7/32"]


def test_an_own_address_that_is_not_found_out(aside: Ops) -> None:
    """The option that needs no asking is told."""
    aside.good(*CREATE)
    aside.environment["LTOPS_ADDRESS_URL"] = "http://127.0.0.1:9"
    ended = aside.run("allow", "-c", "demo")
    assert ended.code == 3
    assert "name it with --allow-cidr" in ended.error


def test_a_module_that_lets_in_by_other_means(aside: Ops) -> None:
    """Where it is to be changed is told."""
    aside.good(*CREATE)
    main = aside.home / "demo" / "terraform" / "main.tf"
    main.write_text(main.read_text().replace("var.allow_cidrs", "local.let_in"))
    ended = aside.run("allow", "-c", "demo", "--allow-cidr", "192.0.2.1")
    assert ended.code == 1
    assert "has no resource with var.allow_cidrs in it" in ended.error


def test_a_cluster_that_is_not_made_yet(aside: Ops) -> None:
    """Its creation comes first."""
    aside.environment["PATH"] = "/nowhere"
    assert aside.run(*CREATE).code == 2
    ended = aside.run("allow", "-c", "demo", "--allow-cidr", "192.0.2.1")
    assert ended.code == 2
    assert "the creation of demo did not end: repeat `ltops create`" in ended.error


def test_a_local_cluster(ops: Ops) -> None:
    """It is reached from this machine alone."""
    ops.good("create", "-c", "demo", "-t", "local")
    assert ops.run("allow", "-c", "demo").error == "a local cluster is reached from this machine alone"
