"""The hosts of an AWS cluster, as those who work on them over SSH want them."""

from __future__ import annotations

from mattermost_load_test.errors import ClusterError
from mattermost_load_test.ltops.hosts.fleet import Bucket, DatabaseEndpoints, Fleet
from mattermost_load_test.ltops.providers.terraform_aws.contract import LET_IN_VARIABLE
from mattermost_load_test.ltops.providers.terraform_aws.keys import KNOWN_HOSTS_FILE, check_key
from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformDetails, TerraformOptions
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.terraform import taken_variables


def fleet_of(cluster: Cluster) -> Fleet:
    """Return the hosts of a cluster.

    Raises `ClusterError` before they are made, `UsageError` where their key is missing or readable by others.
    """
    details = TerraformDetails.of(cluster)
    if details is None or details.outputs is None:
        raise ClusterError(f"the creation of {cluster.name} did not end: repeat `ltops create`")
    outputs, database = details.outputs, None
    if outputs.database is not None:
        database = DatabaseEndpoints(**outputs.database.model_dump(), password=details.db_password)
    return Fleet(
        cluster_name=cluster.name,
        hosts=tuple(outputs.hosts()),
        ssh_user=outputs.ssh_user,
        key_file=check_key(cluster.directory),
        known_hosts_file=cluster.directory / KNOWN_HOSTS_FILE,
        database=database,
        bucket=Bucket(outputs.bucket.name, outputs.bucket.region) if outputs.bucket else None,
        server_url=TerraformOptions.model_validate(cluster.state.options).server_url,
        if_silent=_way_in(cluster),
    )


def _way_in(cluster: Cluster) -> str:
    """Return who is let in, and what lets others in."""
    let_in = ", ".join(taken_variables(cluster.directory).get(LET_IN_VARIABLE, []))
    name = cluster.name
    hint = f"{name} lets in {let_in}: if your address is another by now, `ltops allow -c {name}` lets that in"
    return hint if let_in else ""
