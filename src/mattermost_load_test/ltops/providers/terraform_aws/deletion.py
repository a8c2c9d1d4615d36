"""The removal of an AWS cluster: by Terraform what its state knows, then a look at what is left on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.aws.account import Account
from mattermost_load_test.ltops.aws.leftovers import CLUSTER_TAG, leftovers
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.terraform_aws.contract import makes_on_aws
from mattermost_load_test.ltops.providers.terraform_aws.creation import SECRET_VARIABLE
from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformDetails
from mattermost_load_test.ltops.steps import Stage, Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.terraform import Terraform

_UNUSED = "0" * 16
"""What is given for the database's password when all is removed: nothing is done with it."""

_SHOWN_MAX = 50


class Deletion:
    """The removal of what there is of a cluster; its state file may be lost, Terraform's likewise."""

    def __init__(self, directory: Path, cluster: Cluster | None, progress: Progress) -> None:
        self._name = directory.name
        self._progress = progress
        self._terraform = Terraform(directory, progress)
        details = TerraformDetails.of(cluster) if cluster else None
        variables = self._terraform.variables()
        self._aws = details.aws if details else makes_on_aws(self._terraform.folder)
        self._region = details.region if details else str(variables.get("region", ""))
        self._profile = details.profile if details else str(variables.get("profile", ""))

    def stages(self) -> Iterator[Stage]:
        """Yield the removal, then the look at what is left."""
        yield [Step("terraform", "remove what it made", self._destroy, lambda: self._terraform.begun)]
        if self._aws and self._region:
            yield [Step("aws", "look for what is left", self._look)]

    def _destroy(self, tell: Tell) -> None:
        self._terraform.check()
        self._terraform.destroy({SECRET_VARIABLE: _UNUSED}, tell)

    def _look(self, tell: Tell) -> None:
        """Raise `OperationError` with what AWS still has of the cluster."""
        found = leftovers(Account(self._profile, self._region), self._name)
        if found:
            shown = "\n    ".join(found[:_SHOWN_MAX])
            more = f"\n    and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else ""
            raise OperationError(
                f"AWS still has in {self._region} what Terraform's state knows nothing of:\n    {shown}{more}\n"
                f"  It costs money until it is removed in AWS's console (Tag Editor, {CLUSTER_TAG} = {self._name}); "
                "then repeat the command to forget the cluster"
            )
