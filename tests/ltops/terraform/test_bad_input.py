"""What can be wrong with an AWS cluster: each one message, an exit code, and a cluster that one can go on from."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.timeout(300)]  # moto takes its time for lists of types

Ops = Any
"""An `Ops` of the conftest above."""

Aws = Any
"""An `Aws` of the conftest beside."""

Refuse = Any
"""Its `Refuse`."""

CREATE = ("create", "-c", "demo", "-t", "terraform", "--allow-cidr", "203.0.113.7")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--app-count", "0"), "--server-url"),
        (("--app-count", "-1"), "--app-count"),
        (("--db-count", "17"), "--db-count"),
        (("--db-engine", "oracle"), "--db-engine"),
        (("--loadtest-count", "0"), "--loadtest-count"),
        (("--server-url", "https://chat.example.com", "--db-count", "2"), "exclude each other"),
        (("--server-url", "chat.example.com"), "--server-url must be a URL"),
        (("--allow-cidr", "0.0.0.0/0"), "whole internet"),
        (("--allow-cidr", "here"), "--allow-cidr must be an IPv4 address or network"),
        (("--max-age", "soon"), "--max-age must be an age such as 90m, 8h or 2d"),
        (("--vpc-id", "vpc-1"), "--subnet-id"),
        (("--vpc-id", "vpc-1", "--subnet-id", "subnet-1"), "wanted twice"),
        (("--zone", "eu-central-1a"), "--zone is wanted twice"),
        (("--port", "8065"), "--port means nothing for a cluster of type terraform"),
    ],
)
def test_options_that_an_aws_cluster_does_not_take(ops: Ops, arguments: tuple[str, ...], words: str) -> None:
    """The option is named, and nothing is made."""
    ended = ops.run(*CREATE, *arguments)
    assert ended.code == 2
    assert words in ended.error
    assert list(ops.home.iterdir()) == []


def test_a_local_cluster_takes_none_of_them(ops: Ops) -> None:
    """They are refused by name."""
    ended = ops.run("create", "-c", "demo", "-t", "local", "--region", "eu-central-1")
    assert (ended.code, ended.error) == (2, "--region means nothing for a local cluster")


def test_no_terraform(aside: Ops) -> None:
    """Where to get it is told; once it is there the same command goes on, and so does one with other options."""
    aside.environment["PATH"] = "/nowhere"
    ended = aside.run(*CREATE)
    assert ended.code == 2
    assert "there is no terraform on the PATH" in ended.error
    del aside.environment["PATH"]
    aside.good(*CREATE, "--loadtest-count", "2")
    assert len(aside.status("demo")["instances"]) == 6


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('{"terraform_version": "1.4.7"}', "terraform 1.4.7 is too old"),
        ("OpenSesame 3", "the terraform on the PATH is none"),
    ],
)
def test_another_terraform(aside: Ops, said: str, words: str) -> None:
    """It is refused by its version, or since it tells none."""
    program = aside.folder / "terraform"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    aside.environment["PATH"] = f"{aside.folder}:{os.environ['PATH']}"
    ended = aside.run(*CREATE)
    assert ended.code == 2
    assert words in ended.error


def test_a_module_that_is_none(ops: Ops) -> None:
    """The variable and the folder are named."""
    ops.environment["LTOPS_TERRAFORM_MODULE"] = str(ops.folder)
    ended = ops.run(*CREATE)
    assert ended.code == 2
    assert f"LTOPS_TERRAFORM_MODULE names {ops.folder}" in ended.error


def test_a_module_that_breaks_the_contract(aside: Ops) -> None:
    """The output is named; with the module mended the same command goes on."""
    fork = aside.folder / "fork"
    shutil.copytree(aside.environment["LTOPS_TERRAFORM_MODULE"], fork)
    text = (fork / "main.tf").read_text()
    (fork / "main.tf").write_text(text.replace('output "ssh_user"', 'output "user"'))
    aside.environment["LTOPS_TERRAFORM_MODULE"] = str(fork)
    ended = aside.run(*CREATE)
    assert ended.code == 1
    assert "the module's output ssh_user is not as docs/terraform.md says" in ended.error
    (fork / "main.tf").write_text(text)
    aside.good(*CREATE)


def test_a_key_that_others_can_read(aside: Ops) -> None:
    """It is not used; the message says how to mend it."""
    aside.good(*CREATE)
    key = aside.home / "demo" / "id_ed25519"
    key.chmod(0o644)
    ended = aside.run("ssh", "app", "-c", "demo", "--", "true")
    assert ended.code == 2
    assert f"chmod 600 {key}" in ended.error


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [(503, "", "503"), (200, "<html>hotel</html>", "is no IPv4 address"), (200, "2001:db8::1", "is no IPv4 address")],
)
def test_an_own_address_that_is_not_found_out(aside: Ops, refuse: Refuse, status: int, text: str, words: str) -> None:
    """Who is asked and the option that needs no asking are told."""
    aside.environment["LTOPS_ADDRESS_URL"] = refuse({"*": (status, text)}).url
    ended = aside.run(*CREATE[:-2])
    assert ended.code == 3
    assert words in ended.error
    assert "--allow-cidr" in ended.error


def test_an_own_address(aside: Ops, refuse: Refuse) -> None:
    """It alone is let in."""
    aside.environment["LTOPS_ADDRESS_URL"] = refuse({"*": (200, "198.51.100.9\n")}).url
    aside.good(*CREATE[:-2])
    variables = json.loads((aside.home / "demo" / "terraform" / "terraform.tfvars.json").read_text())
    assert variables["allow_cidrs"] == ["198.51.100.9/32"]


def refused(ops: Ops, code: int, *words: str, arguments: tuple[str, ...] = ()) -> None:
    """Check that a creation is refused before anything is made, and that it can be deleted."""
    ended = ops.run(*CREATE, *arguments)
    for word in words:
        assert word in ended.error
    assert ended.code == code
    assert not (ops.home / "demo" / "terraform").exists()
    ops.good("delete", "-c", "demo", "--yes")


def test_no_credentials(on_aws: Ops) -> None:
    """How to give some is told."""
    on_aws.environment |= {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    refused(on_aws, 2, "there are no AWS credentials", "aws configure")


def test_an_unknown_profile(on_aws: Ops) -> None:
    """It is named."""
    refused(on_aws, 2, "(nowhere)", arguments=("--profile", "nowhere"))


def test_the_profile_of_our_name(on_aws: Ops, tmp_path: Path) -> None:
    """It is used where nothing else is said, its region too."""
    config = tmp_path / "config"
    config.write_text("[profile ltops]\nregion = eu-west-3\naws_access_key_id = a\naws_secret_access_key = b\n")
    on_aws.environment |= {"AWS_CONFIG_FILE": str(config), "AWS_ACCESS_KEY_ID": "", "AWS_REGION": ""}
    refused(on_aws, 2, "no instance type c9.none in eu-west-3", arguments=("--app-type", "c9.none"))


@pytest.mark.parametrize(
    ("code", "words"),
    [("ExpiredToken", "the credentials have expired"), ("InvalidClientTokenId", "does not know these credentials")],
)
def test_credentials_that_aws_refuses(on_aws: Ops, refuse: Refuse, code: str, words: str) -> None:
    """Expired or wrong: AWS's own word for it, and what to do."""
    on_aws.environment["AWS_ENDPOINT_URL_STS"] = refuse({"GetCallerIdentity": (403, as_query_error(code))}).url
    refused(on_aws, 3, words, code)


def test_aws_cannot_be_reached(on_aws: Ops) -> None:
    """The service and what to check are told."""
    on_aws.environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:9"
    refused(on_aws, 3, "cannot be reached")


def test_an_answer_that_is_not_aws(on_aws: Ops, refuse: Refuse) -> None:
    """It is called that."""
    on_aws.environment["AWS_ENDPOINT_URL_STS"] = refuse({"*": (200, "<html><p>Welcome to the hotel</html>")}).url
    refused(on_aws, 3, "no answer of AWS")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--app-type", "c7i.xlrge"), ("no instance type c7i.xlrge in eu-central-1", "c7i.xlarge")),
        (("--loadtest-type", "c7g.xlarge"), ("c7g.xlarge is no x86-64",)),
        (("--zone", "eu-central-1a", "--zone", "eu-central-1z"), ("eu-central-1 has no zone eu-central-1z",)),
        (("--db-engine", "aurora-mysql"), ("no aurora-mysql on db.r6g.large",)),
    ],
)
def test_what_the_region_does_not_offer(on_aws: Ops, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    """It is named with what there is; moto offers no MySQL, which serves here."""
    refused(on_aws, 2, *words, arguments=arguments)


def test_no_room_for_a_network(on_aws: Ops, aws: Aws) -> None:
    """The account's quota of networks is told before one is made."""
    ec2 = aws.client("ec2")
    made = [ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(4)]
    try:
        refused(on_aws, 3, "networks (VPCs)", "5 are in use, and its quota is 5")
    finally:
        for vpc in made:
            ec2.delete_vpc(VpcId=vpc)


def test_no_room_for_the_hosts(on_aws: Ops, refuse: Refuse) -> None:
    """The account's quota of virtual CPUs, which moto does not know, is told before any is used."""
    quota = json.dumps({"Quota": {"Value": 12.0}})
    on_aws.environment["AWS_ENDPOINT_URL_SERVICE_QUOTAS"] = refuse({"GetServiceQuota": (200, quota)}).url
    refused(on_aws, 3, "20 vCPUs of standard instances", "its quota is 12", arguments=("--app-count", "3"))


def as_query_error(code: str) -> str:
    """Return an error as STS puts it."""
    return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>"
