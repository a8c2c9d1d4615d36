"""What a region of AWS offers, and how much of it this account may have: asked before anything is made."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from mattermost_load_test.errors import CloudError, UsageError
from mattermost_load_test.ltops.aws.account import Account, code_of, refusals

ZONES_WANTED = 2
"""The database's subnet group wants so many."""

_X86 = "x86_64"
_VPCS = ("vpc", "L-F678F1CE")
_STANDARD_VCPUS = ("ec2", "L-1216C47A")
"""Quotas by service and code: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html and
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html (Running On-Demand Standard instances)."""

_STANDARD = re.compile(r"(?:[acdhimrtz]|im|is)[0-9]")
"""Types that count on the standard quota: families A, C, D, H, I, M, R, T and Z."""

_NOT_TOLD = {"NoSuchResourceException", "AccessDeniedException", "AccessDenied"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a cluster is to be made of.

    `hosts` are their numbers by type; `zones` those that were named, for a network of its own. Without `db_type` there
    is no database.
    """

    hosts: Mapping[str, int]
    db_type: str
    db_count: int
    db_engine: str
    own_network: bool
    zones: Sequence[str] = ()


def check_offers(account: Account, wanted: Wanted) -> list[str]:
    """Return the zones to use, none for a network that is there; raises `UsageError` for what the region has not."""
    by_type = _zones_by_type(account, [*wanted.hosts])
    _check_types(account, wanted, by_type)
    if wanted.db_type:
        _check_database(account, wanted)
    return _zones(account, wanted, by_type) if wanted.own_network else []


def check_quotas(account: Account, wanted: Wanted) -> list[str]:
    """Return what could not be checked; raises `CloudError` where the account may not have what is wanted."""
    untold = []
    for name, needed, used, quota in _needs(account, wanted):
        if quota is None:
            untold.append(name)
        elif used + needed > quota:
            raise CloudError(
                f"the account has no room for the cluster: {needed:g} {name} are wanted in {account.region}, {used:g} "
                f"are in use, and its quota is {quota:g}: ask for more in AWS's console (Service Quotas), remove some, "
                "or make a smaller cluster"
            )
    return untold


def database_class(db_type: str) -> str:
    """Return the class of a database's instances, of which the module does not want the leading ``db.`` either."""
    return db_type if db_type.startswith("db.") else f"db.{db_type}"


def _check_types(account: Account, wanted: Wanted, offered: Mapping[str, set[str]]) -> None:
    """Raise `UsageError` for types that the region has not, or that are no x86-64, as the hosts' image is."""
    for kind in wanted.hosts:
        if kind not in offered:
            near = difflib.get_close_matches(kind, _zones_by_type(account, []), n=3)
            hint = f"; it has {', '.join(near)}" if near else ""
            raise UsageError(f"AWS offers no instance type {kind} in {account.region}{hint}")
    for kind, told in _types(account, [*wanted.hosts]).items():
        if _X86 not in told["ProcessorInfo"]["SupportedArchitectures"]:
            raise UsageError(f"{kind} is no x86-64, which hosts must be: choose a type without g in its family")


def _check_database(account: Account, wanted: Wanted) -> None:
    """Raise `UsageError` for a database that the region has not."""
    kind = database_class(wanted.db_type)
    with refusals("AWS"):
        answer = account.client("rds").describe_orderable_db_instance_options(
            Engine=wanted.db_engine, DBInstanceClass=kind, MaxRecords=20
        )
    if not answer["OrderableDBInstanceOptions"]:
        raise UsageError(f"AWS offers no {wanted.db_engine} on {kind} in {account.region}: choose another --db-type")


def _zones(account: Account, wanted: Wanted, by_type: Mapping[str, set[str]]) -> list[str]:
    """Return two zones: one that has every type of host, and another, for the database."""
    with refusals("AWS"):
        told = account.client("ec2").describe_availability_zones(
            Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
        )
    open_zones = sorted(zone["ZoneName"] for zone in told["AvailabilityZones"] if zone["State"] == "available")
    if unknown := [zone for zone in wanted.zones if zone not in open_zones]:
        raise UsageError(f"{account.region} has no zone {unknown[0]}; it has {', '.join(open_zones)}")
    candidates = list(wanted.zones[:1]) or open_zones
    complete = [zone for zone in candidates if all(zone in zones for zones in by_type.values())]
    if not complete:
        raise UsageError(
            f"no zone of {account.region} offers all of {', '.join(wanted.hosts)}"
            + (f" ({candidates[0]} was asked for)" if wanted.zones else "")
            + ": choose other types"
        )
    others = [zone for zone in wanted.zones or open_zones if zone != complete[0]]
    return [complete[0], *others][:ZONES_WANTED]


def _needs(account: Account, wanted: Wanted) -> Iterator[tuple[str, float, float, float | None]]:
    """Yield what is limited: its name, how many are needed, are in use, and may be had (None: not told)."""
    if wanted.own_network:
        with refusals("AWS"):
            pages = list(account.client("ec2").get_paginator("describe_vpcs").paginate())
        yield "networks (VPCs)", 1, sum(len(page["Vpcs"]) for page in pages), _quota(account, *_VPCS)
    used = _standard_in_use(account)
    vcpus = {kind: told["VCpuInfo"]["DefaultVCpus"] for kind, told in _types(account, [*wanted.hosts, *used]).items()}
    yield (
        "vCPUs of standard instances",
        sum(vcpus[kind] * count for kind, count in wanted.hosts.items() if _STANDARD.match(kind)),
        sum(vcpus[kind] * count for kind, count in used.items()),
        _quota(account, *_STANDARD_VCPUS),
    )


def _quota(account: Account, service: str, code: str) -> float | None:
    """Return a quota of the account, None where AWS does not tell."""
    with refusals("AWS"):
        try:
            answer = account.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
        except ClientError as error:
            if code_of(error) in _NOT_TOLD:
                return None
            raise
    return float(answer["Quota"]["Value"])


def _standard_in_use(account: Account) -> Counter[str]:
    """Return how many on-demand instances of each standard type run."""
    running = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping"]}]
    used: Counter[str] = Counter()
    with refusals("AWS"):
        for page in account.client("ec2").get_paginator("describe_instances").paginate(Filters=running):
            for instance in (one for reservation in page["Reservations"] for one in reservation["Instances"]):
                if "InstanceLifecycle" not in instance and _STANDARD.match(instance["InstanceType"]):
                    used[instance["InstanceType"]] += 1
    return used


def _types(account: Account, names: Sequence[str]) -> dict[str, Any]:
    """Return what AWS tells of instance types that the region has."""
    filters = [{"Name": "instance-type", "Values": sorted(set(names))}]
    with refusals("AWS"):
        pages = account.client("ec2").get_paginator("describe_instance_types").paginate(Filters=filters)
        return {told["InstanceType"]: told for page in pages for told in page["InstanceTypes"]} if names else {}


def _zones_by_type(account: Account, names: Sequence[str]) -> dict[str, set[str]]:
    """Return the zones that offer each type: of those named that the region has, or of all without names."""
    filters = [{"Name": "instance-type", "Values": sorted(set(names))}] if names else []
    found: dict[str, set[str]] = {}
    with refusals("AWS"):
        pages = account.client("ec2").get_paginator("describe_instance_type_offerings")
        for page in pages.paginate(LocationType="availability-zone", Filters=filters):
            for offer in page["InstanceTypeOfferings"]:
                found.setdefault(offer["InstanceType"], set()).add(offer["Location"])
    return found
