"""What is to be on the hosts: what `deploy` was asked for, over what was deployed before."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from mattermost_load_test.config import CONFIGURATION_FILE
from mattermost_load_test.errors import ArtifactError, DownloadError, UsageError
from mattermost_load_test.ltops.artifacts.archives import Bundle, MattermostArchive, member_of
from mattermost_load_test.ltops.artifacts.bringing import bring_bundle, bring_grafana, bring_mattermost
from mattermost_load_test.ltops.artifacts.licenses import read_license
from mattermost_load_test.ltops.digests import digest_of
from mattermost_load_test.ltops.hosts.deployed import AgentBundle, Deployed, Package, Release
from mattermost_load_test.ltops.hosts.fleet import Fleet
from mattermost_load_test.ltops.progress import Progress
from mattermost_load_test.ltops.providers.base import DeployOrder
from mattermost_load_test.ltops.store import Cluster

DEFAULT_LOADTESTS = "master"
_SHIPPED = ("config/config.json", "config/default.json")


def wanted(cluster: Cluster, fleet: Fleet, order: DeployOrder, progress: Progress) -> Deployed:
    """Return what is to be there; archives are on this machine then.

    Raises `UsageError` for an order that these hosts cannot take, `ArtifactError`, `DownloadError`.
    """
    order.refuse(cluster.state.kind, values="--values", agent_image="--agent-image", force="--force")
    _check(fleet, order)
    found = Deployed.of(cluster.directory)
    cache = cluster.directory.parent / ".downloads"
    if order.mattermost is not None:
        with progress.downloading(order.mattermost) as download:
            archive = bring_mattermost(order.mattermost, cache, os.environ, download)
        found.release = _release(archive, found.release)
    elif found.release is None and fleet.of_role("app"):
        raise UsageError(
            f"which Mattermost is to be tested? `ltops deploy -c {cluster.name} -m MATTERMOST`: a file, a URL, a "
            "release such as 11.6.0, a branch, or the number of a pull request"
        )
    if order.license is not None:
        found.license = SecretStr(read_license(order.license).decode())
    loadtests = order.loadtests or (None if found.bundle is not None else DEFAULT_LOADTESTS)
    if loadtests is not None:
        with progress.downloading(loadtests) as download:
            found.bundle = _bundle(bring_bundle(loadtests, cache, os.environ, download))
    if found.grafana is None and fleet.of_role("metrics"):
        found.grafana = _grafana(cache, progress)
    return found


def _grafana(cache: Path, progress: Progress) -> Package | None:
    """Return Grafana's package; that it cannot be had is no reason not to go on."""
    try:
        path = bring_grafana(cache, os.environ)
    except DownloadError as error:
        progress.log.warn(str(error))
        return None
    return None if path is None else Package(path=str(path.absolute()), digest=digest_of(path))


def _check(fleet: Fleet, order: DeployOrder) -> None:
    if not fleet.of_role("app"):
        if order.mattermost is not None:
            raise UsageError("-m means nothing here: the servers of this cluster are those of its --server-url")
        if order.license is not None:
            raise UsageError("-l means nothing here: the servers of this cluster are those of its --server-url")
    elif order.data_source is not None:
        raise UsageError("--data-source means nothing here: the servers of this cluster have its own database")


def _bundle(bundle: Bundle) -> AgentBundle:
    return AgentBundle(
        path=str(bundle.path.absolute()),
        digest=digest_of(bundle.path),
        top=bundle.top,
        version=bundle.version,
        pythons=bundle.pythons,
        configuration=(member_of(bundle, (CONFIGURATION_FILE,)) or b"").decode(errors="replace"),
    )


def _release(archive: MattermostArchive, before: Release | None) -> Release:
    """Return what an archive holds; one that was looked into before is not again."""
    digest = digest_of(archive.path)
    path = str(archive.path.absolute())
    if before is not None and before.digest == digest:
        return before.model_copy(update={"path": path})
    return Release(
        path=path, digest=digest, top=archive.top, program=archive.program, shipped=dict(_shipped_settings(archive))
    )


def _shipped_settings(archive: MattermostArchive) -> Mapping[str, Any]:
    """Return the configuration that an archive ships, empty without one."""
    data = member_of(archive, _SHIPPED)
    try:
        settings = json.loads(data or b"{}")
    except ValueError as error:
        raise ArtifactError(f"{archive.path}: the configuration in it is no JSON: {error}") from error
    return settings if isinstance(settings, dict) else {}


def check_there(path: str, name: str, option: str) -> None:
    """Raise `ArtifactError` when an archive that has to be uploaded is not there any more."""
    if not Path(path).is_file():
        raise ArtifactError(f"{name} was deployed from {path}, which is gone: name it again with {option}")
