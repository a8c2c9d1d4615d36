"""Who reaches an AWS cluster that is there: changed by Terraform, and nothing else with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mattermost_load_test.errors import ClusterError, OperationError, UsageError
from mattermost_load_test.ltops.aws.operator_address import operator_network
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.terraform_aws.contract import LET_IN_VARIABLE, resources_of
from mattermost_load_test.ltops.providers.terraform_aws.creation import SECRET_VARIABLE
from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformDetails, network_of
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.terraform import Terraform


class Admission:
    """One change of who reaches a cluster: `networks`, this machine's own address where none is named.

    With `add` those that were let in before stay. Raises `ClusterError` for a cluster that is not made yet,
    `UsageError` for what is no network.
    """

    def __init__(self, cluster: Cluster, networks: Sequence[str], progress: Progress, *, add: bool) -> None:
        details = TerraformDetails.of(cluster)
        if details is None or details.outputs is None:
            raise ClusterError(f"the creation of {cluster.name} did not end: repeat `ltops create`, then let others in")
        self._password = details.db_password
        self._terraform = Terraform(cluster.directory, progress)
        self._progress = progress
        self._before = [str(one) for one in self._terraform.variables().get(LET_IN_VARIABLE, [])]
        self._kept = self._before if add else []
        self._networks = _checked(networks)

    def stages(self) -> Iterator[Stage]:
        """Yield what finds out our own address, if need be, then the change."""
        if not self._networks:
            yield [Step("address", "find out our own", self._find_address)]
        yield [Step("terraform", "change who is let in, and nothing else", self._change)]

    def _find_address(self, tell: Tell) -> None:
        self._networks = [operator_network(os.environ)]

    def _change(self, tell: Tell) -> None:
        """Change the rules alone: whatever else is not as the module says stays so."""
        rules = resources_of(self._terraform.folder, LET_IN_VARIABLE)
        if not rules:
            raise OperationError(
                f"the module {self._terraform.folder} has no resource with var.{LET_IN_VARIABLE} in it: "
                "change who is let in where it makes its firewall"
            )
        self._terraform.check()
        wanted = list(dict.fromkeys([*self._kept, *self._networks]))
        self._terraform.change_variables({LET_IN_VARIABLE: wanted})
        self._terraform.apply({SECRET_VARIABLE: self._password.get_secret_value()}, tell, only=rules)
        gone = [one for one in self._before if one not in wanted]
        self._progress.say(f"Let in: {', '.join(wanted)}" + (f"; no more: {', '.join(gone)}" if gone else ""))


def _checked(networks: Sequence[str]) -> list[str]:
    """Return networks in their own form; raises `UsageError`."""
    try:
        return [network_of(text) for text in networks]
    except ValueError as error:
        raise UsageError(f"--allow-cidr {error}") from None
