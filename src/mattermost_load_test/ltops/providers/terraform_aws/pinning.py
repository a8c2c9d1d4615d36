"""Host keys of AWS clusters, pinned before anybody connects where the instances' consoles show them.

A console may be minutes behind, so that this never takes long: who shows no key is pinned at the first connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_fixed

from mattermost_load_test.errors import CloudError, UsageError
from mattermost_load_test.ltops.aws.account import Account
from mattermost_load_test.ltops.aws.consoles import host_keys
from mattermost_load_test.ltops.hosts.fleet import Fleet, Host
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.terraform_aws.fleet import fleet_of
from mattermost_load_test.ltops.providers.terraform_aws.options import TerraformDetails
from mattermost_load_test.ltops.ssh.keys import KnownHosts, known_as
from mattermost_load_test.ltops.steps import Stage
from mattermost_load_test.ltops.store import Cluster

SOURCE = "instance console"
"""What stands behind a key in `known_hosts` that a console showed."""

WAIT_S = 60.0
"""How long `deploy` waits for keys to be shown; hosts that were just made boot meanwhile."""

PAUSE_S = 5.0
"""How long it pauses in between."""


def pin_from_consoles(cluster: Cluster, progress: Progress, wait_s: float = 0) -> None:
    """Pin the keys of hosts that nobody has met yet, as far as their consoles show them, and tell whose these are.

    It does nothing for a module that makes nothing on AWS, and goes on where AWS refuses to tell.
    """
    details = TerraformDetails.of(cluster)
    if details is None or details.outputs is None or not details.aws:
        return
    fleet, ids = fleet_of(cluster), {name: one.id for name, one in details.outputs.instances.items()}
    try:
        pin_shown(fleet, ids, Account(details.profile, details.region), progress, wait_s)
    except (CloudError, UsageError) as error:  # SSH needs no credentials of AWS
        progress.warn(f"host keys are pinned at the first connection, since the consoles are not to be had: {error}")


def pin_shown(
    fleet: Fleet,
    ids: Mapping[str, str],
    account: Account,
    progress: Progress,
    wait_s: float,
    pause_s: float = PAUSE_S,
) -> None:
    """Look at the consoles until each shows a key, `wait_s` at most; `ids` are the instances by host's name.

    Raises `CloudError`, or `UsageError` without credentials.
    """
    known = KnownHosts(fleet.known_hosts_file)
    met_never = [host for host in fleet.hosts if not known.knows(_name(host))]
    if not met_never:
        return
    look = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(wait_s),
        wait=wait_fixed(pause_s),
        retry_error_callback=_last,
    )
    left = look(_pin, known, met_never, ids, account)
    if pinned := [host.name for host in met_never if host not in left]:
        progress.say(f"Host keys pinned as the instances' consoles show them: {', '.join(pinned)}")
    if left:
        progress.say(
            f"Host keys not shown by the instances' consoles{f' within {wait_s:g} s' if wait_s else ' yet'}: "
            f"{', '.join(host.name for host in left)}; "
            + ("they are pinned at the first connection" if wait_s else "`ltops deploy` looks again")
        )


def after_pinning(cluster: Cluster, stages: Iterator[Stage], progress: Progress) -> Iterator[Stage]:
    """Yield the stages of a deployment, hosts being known as far as may be before the first is taken."""
    pin_from_consoles(cluster, progress, WAIT_S)
    yield from stages


def _pin(known: KnownHosts, hosts: Sequence[Host], ids: Mapping[str, str], account: Account) -> list[Host]:
    """Pin what is shown now, and return the hosts that are still unknown."""
    unknown = [host for host in hosts if not known.knows(_name(host))]
    shown = host_keys(account, [ids[host.name] for host in unknown])
    for host in unknown:
        if ids[host.name] in shown:
            known.pin(_name(host), shown[ids[host.name]], SOURCE)
    return [host for host in unknown if ids[host.name] not in shown]


def _last(state: RetryCallState) -> object:
    assert state.outcome is not None  # it was tried
    return state.outcome.result()


def _name(host: Host) -> str:
    return known_as(host.address, host.port)
