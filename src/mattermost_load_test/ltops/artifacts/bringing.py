"""From what stands on the command line to an archive on this machine that is known to be what it should be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from mattermost_load_test.ltops.artifacts.addresses import (
    Addresses,
    Source,
    grafana_source,
    loadtests_source,
    mattermost_source,
)
from mattermost_load_test.ltops.artifacts.archives import Bundle, MattermostArchive, open_bundle, open_mattermost
from mattermost_load_test.ltops.artifacts.download import Downloads, Progress, pull_request_head


def bring_mattermost(
    reference: str, cache: Path, environment: Mapping[str, str], progress: Progress
) -> MattermostArchive:
    """Return the Mattermost that `reference` means, downloaded into `cache` if it is not a file.

    Raises `ArtifactError` when it is no Mattermost, `DownloadError` when it cannot be had.
    """
    source = mattermost_source(reference, Addresses.of(environment), pull_request_head)
    return open_mattermost(_brought(source, cache, progress))


def bring_bundle(reference: str, cache: Path, environment: Mapping[str, str], progress: Progress) -> Bundle:
    """Return the bundle of the agent that `reference` means, likewise."""
    return open_bundle(_brought(loadtests_source(reference, Addresses.of(environment)), cache, progress))


def bring_grafana(cache: Path, environment: Mapping[str, str]) -> Path | None:
    """Return Grafana's package, None where it is not wanted; raises `DownloadError`, without trying for long."""
    source = grafana_source(Addresses.of(environment))
    if source is None or source.path is not None:
        return None if source is None else source.path
    return Downloads(cache, lambda pause_s: None).fetch(source.url, lambda here, total: None, settled=True)


def _brought(source: Source, cache: Path, progress: Progress) -> Path:
    """Return where a source is on this machine."""
    if source.path is not None:
        return source.path
    return Downloads(cache, time.sleep).fetch(source.url, progress, settled=source.settled)
