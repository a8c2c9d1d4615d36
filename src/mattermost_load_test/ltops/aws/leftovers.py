"""What there is in an account and region of a cluster, by its tag: what a destroy left, or a lost state forgot.

Each service is asked itself: the tagging API knows no IAM roles, and goes on naming what was removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mattermost_load_test.ltops.aws.account import Account, code_of, refusals

CLUSTER_TAG = "mattermost-load-test/cluster"
"""The tag that the module puts on everything it makes, with the cluster's name."""

PREFIX_MAX = 24
_KINDS = (
    ("describe_volumes", "Volumes", "VolumeId", "volume"),
    ("describe_key_pairs", "KeyPairs", "KeyPairId", "key pair"),
    ("describe_security_groups", "SecurityGroups", "GroupId", "security group"),
    ("describe_subnets", "Subnets", "SubnetId", "subnet"),
    ("describe_route_tables", "RouteTables", "RouteTableId", "route table"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "internet gateway"),
    ("describe_vpcs", "Vpcs", "VpcId", "VPC"),
)
"""EC2's resources: how they are asked for, where they stand in the answer, their ids, what they are called."""

_NO_TAGS = {"NoSuchTagSet", "NoSuchBucket", "NoSuchEntity", "DBSubnetGroupNotFoundFault", "AccessDenied"}


def leftovers(account: Account, cluster_name: str) -> list[str]:
    """Return what there is of a cluster, such as ``instance i-0abc``; raises `CloudError`."""
    with refusals("AWS"):
        return [found for look in (_on_ec2, _on_rds, _on_s3, _on_iam) for found in look(account, cluster_name)]


def name_prefix(cluster_name: str) -> str:
    """Return what the names of a cluster's resources begin with: as `local.prefix` of the module."""
    return re.sub("-+", "-", cluster_name)[:PREFIX_MAX].removesuffix("-")


def _on_ec2(account: Account, name: str) -> Iterator[str]:
    """Yield instances, and then, since these hold the others, volumes, keys and what networks consist of."""
    ec2 = account.client("ec2")
    tagged = {"Name": f"tag:{CLUSTER_TAG}", "Values": [name]}
    there = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    for page in ec2.get_paginator("describe_instances").paginate(Filters=[tagged, there]):
        for reservation in page["Reservations"]:
            yield from (f"instance {instance['InstanceId']}" for instance in reservation["Instances"])
    for operation, key, id_key, kind in _KINDS:
        for one in getattr(ec2, operation)(Filters=[tagged])[key]:
            yield f"{kind} {one[id_key]}"


def _on_rds(account: Account, name: str) -> Iterator[str]:
    """Yield database clusters, their instances and subnet groups."""
    rds = account.client("rds")
    for operation, key, kind in (
        ("describe_db_clusters", "DBClusters", "DBCluster"),
        ("describe_db_instances", "DBInstances", "DBInstance"),
    ):
        found = (one for page in rds.get_paginator(operation).paginate() for one in page[key])
        for one in (one for one in found if _is_of(name, one.get("TagList", []))):
            yield f"{kind} {one[f'{kind}Identifier']}"
    groups = (
        one for page in rds.get_paginator("describe_db_subnet_groups").paginate() for one in page["DBSubnetGroups"]
    )
    for group in (one for one in groups if one["DBSubnetGroupName"].startswith(name_prefix(name))):
        if _is_of(name, _tags(rds.list_tags_for_resource, "TagList", ResourceName=group["DBSubnetGroupArn"])):
            yield f"DBSubnetGroup {group['DBSubnetGroupName']}"


def _on_s3(account: Account, name: str) -> Iterator[str]:
    """Yield buckets."""
    s3 = account.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith(name_prefix(name)) and _is_of(
            name, _tags(s3.get_bucket_tagging, "TagSet", Bucket=bucket["Name"])
        ):
            yield f"bucket {bucket['Name']}"


def _on_iam(account: Account, name: str) -> Iterator[str]:
    """Yield the role of the app hosts, and its instance profile."""
    iam = account.client("iam")
    for thing, listing in (("Role", "list_roles"), ("InstanceProfile", "list_instance_profiles")):
        get = iam.get_role if thing == "Role" else iam.get_instance_profile
        names = (one[f"{thing}Name"] for page in iam.get_paginator(listing).paginate() for one in page[f"{thing}s"])
        for one in (one for one in names if one.startswith(name_prefix(name))):
            if _is_of(name, _tags(get, thing, **{f"{thing}Name": one})):  # the lists come without tags
                yield f"IAM {thing} {one}"


def _tags(ask: Callable[..., Any], key: str, **which: str) -> list[dict[str, str]]:
    """Return the tags of one resource, none for one that has gone meanwhile or is not ours to look at."""
    try:
        told = ask(**which)[key]
    except ClientError as error:
        if code_of(error) in _NO_TAGS:
            return []
        raise
    return list(told.get("Tags", ()) if isinstance(told, dict) else told)


def _is_of(name: str, tags: Iterable[Mapping[str, str]]) -> bool:
    return any(tag["Key"] == CLUSTER_TAG and tag["Value"] == name for tag in tags)
