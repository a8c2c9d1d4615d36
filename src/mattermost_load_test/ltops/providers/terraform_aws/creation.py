"""The making of an AWS cluster: what is checked first, the key, and what Terraform makes."""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from mattermost_load_test.errors import CloudError, UsageError
from mattermost_load_test.ltops.aws.account import Account, chosen_profile, chosen_region
from mattermost_load_test.ltops.aws.offers import Wanted, check_offers, check_quotas
from mattermost_load_test.ltops.aws.operator_address import operator_network
from mattermost_load_test.ltops.aws.prices import NOT_COUNTED, charges
from mattermost_load_test.ltops.cluster import Instance, Price
from mattermost_load_test.ltops.expiry import as_rfc3339
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.terraform_aws.contract import (
    LET_IN_VARIABLE,
    Outputs,
    makes_on_aws,
    module_of,
)
from mattermost_load_test.ltops.providers.terraform_aws.keys import key_file, make_key, public_key
from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformDetails, TerraformOptions
from mattermost_load_test.ltops.providers.terraform_aws.pinning import pin_from_consoles
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.terraform import Terraform

PASSWORD_LENGTH = 32
SECRET_VARIABLE = "db_password"  # noqa: S105  # its name
NO_REGION = "none"
"""What a module is given as its region that makes nothing on AWS."""


class Creation:
    """One creation of a cluster, or its going on; raises `UsageError` for a module or profile that is not there."""

    def __init__(self, cluster: Cluster, progress: Progress) -> None:
        self._cluster = cluster
        self._progress = progress
        self._options = TerraformOptions.model_validate(cluster.state.options)
        self._module = module_of(os.environ)
        self._terraform = Terraform(cluster.directory, progress)
        self._networks = list(self._options.allow_cidr)
        self._details = TerraformDetails.of(cluster) or TerraformDetails(
            aws=makes_on_aws(self._module),
            region=self._options.region,
            profile="",
            db_password=SecretStr(_password()),
        )
        age = self._options.age
        cluster.state.expires_at = cluster.state.created_at + age if age else None

    def stages(self) -> Iterator[Stage]:
        """Yield what is looked at first, what is made here, what Terraform makes."""
        checks = [Step("terraform", "check its version", lambda tell: self._terraform.check())]
        if self._details.aws:
            checks.append(Step("aws", "check account, instance types, quotas and prices", self._check_account))
        if not self._networks:
            checks.append(Step("address", "find out our own, which alone is let in", self._find_address))
        yield checks
        yield [Step("key", "make the cluster's SSH key", self._make_key, self._key_is_missing)]
        count = sum(count for _, count in self._options.hosts().values())
        what = f"make {count} hosts" + (" and a database" if self._options.app_count else "")
        yield [Step("terraform", what, self._make)]
        yield [Step("host keys", "pin those that the consoles show", self._pin, lambda: self._details.aws)]

    def _check_account(self, tell: Tell) -> None:
        """Choose profile, region and zones, see that AWS has and allows what is wanted, and say what it costs."""
        options, details = self._options, self._details
        if self._cluster.state.details:  # it goes on: what there is would count against quotas, and stays in its zones
            Account(details.profile, details.region).check()
            return
        account = Account(chosen_profile(options.profile, os.environ), chosen_region(options.region, os.environ))
        account.check()
        wanted = self._wanted()
        tell("instance types")
        details.zones = check_offers(account, wanted)
        tell("quotas")
        for untold in check_quotas(account, wanted):
            self._progress.warn(f"AWS does not tell the quota of {untold}: it was not checked")
        tell("prices")
        self._tell_price(account, wanted)
        details.region, details.profile = account.region, account.profile

    def _wanted(self) -> Wanted:
        options = self._options
        hosts: dict[str, int] = {}
        for kind, count in options.hosts().values():
            hosts[kind] = hosts.get(kind, 0) + count
        db_type = options.db_type if options.app_count else ""
        return Wanted(hosts, db_type, options.db_count, options.db_engine, not options.vpc_id, options.zone)

    def _tell_price(self, account: Account, wanted: Wanted) -> None:
        """Say what the cluster is to cost, and keep it; that it is not known keeps nobody from creating one."""
        now = datetime.now(UTC)
        try:
            found = charges(account, wanted)
        except (CloudError, UsageError) as error:
            self._cluster.state.price = Price(asked_at=now, unknown=str(error))
            self._progress.say(f"What it costs is not known: {error}")
            return
        total, currency = sum(one.total for one in found), found[0].currency
        self._cluster.state.price = Price(asked_at=now, per_hour=round(float(total), 4), currency=currency)
        parts = ", ".join(f"{one.count} {one.kind} {one.total:.2f}" for one in found)
        self._progress.say(f"It costs about {total:.2f} {currency} an hour ({parts}); {NOT_COUNTED}")

    def _find_address(self, tell: Tell) -> None:
        self._networks = [operator_network(os.environ)]

    def _key_is_missing(self) -> bool:
        return not self._cluster.state.details or not key_file(self._cluster.directory).exists()

    def _make_key(self, tell: Tell) -> None:
        """Make the key, and keep what the cluster is begun with before anything is made of it."""
        make_key(self._cluster.directory, f"ltops {self._cluster.name}")
        self._details.keep(self._cluster)

    def _make(self, tell: Tell) -> None:
        """Let Terraform make everything, and take its outputs into the state."""
        self._terraform.take(self._module, self._variables())
        self._terraform.apply({SECRET_VARIABLE: self._details.db_password.get_secret_value()}, tell)
        self._details.outputs = Outputs.of(self._terraform.outputs())
        self._details.keep(self._cluster)
        self._settle(self._details.outputs)

    def _pin(self, tell: Tell) -> None:
        """Pin what is shown by now; a database takes so long that all hosts have booted meanwhile."""
        pin_from_consoles(self._cluster, self._progress)

    def _variables(self) -> dict[str, Any]:
        """Return the module's variables but for the secret one."""
        options, details, state = self._options, self._details, self._cluster.state
        same = (
            "app_type",
            "app_count",
            "db_type",
            "db_count",
            "db_engine",
            "proxy_type",
            "proxy_count",
            "loadtest_type",
            "loadtest_count",
            "metrics_type",
            "owner",
            "vpc_id",
        )
        return {
            **options.model_dump(include=set(same)),
            "cluster_name": state.name,
            "region": details.region or NO_REGION,
            "profile": details.profile,
            "expires_at": as_rfc3339(state.expires_at) if state.expires_at else "",
            LET_IN_VARIABLE: self._networks,
            "ssh_public_key": public_key(self._cluster.directory),
            "subnet_ids": options.subnet_id,
            "zones": details.zones,
        }

    def _settle(self, outputs: Outputs) -> None:
        """Put into the state which instances there are, and where the site is to be."""
        state = self._cluster.state
        hosts = list(outputs.hosts())
        state.instances = [Instance(role=host.role, index=host.index, address=host.address) for host in hosts]
        if outputs.database is not None:
            state.instances += [
                Instance(role="db", index=index, address=outputs.database.address)
                for index in range(outputs.database.readers + 1)
            ]
        proxies = [host for host in hosts if host.role == "proxy"]
        state.site_url = self._options.server_url or (f"http://{proxies[0].address}" if proxies else "")


def _password() -> str:
    """Return a password for the database; Aurora takes letters and digits of up to 41."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(PASSWORD_LENGTH))
