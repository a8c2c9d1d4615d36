"""Hosts for these tests: made once, for all of them, and gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.hosts import packages
from tests.hosts.stage import HOSTS, Stage, lacking
from tests.ltops.conftest import QUICK

SLOWLY = {"TestLengthMinutes": 0.1, "ActionRateMilliseconds": 2000}
"""Several hosts share this machine, which keeps actions waiting at times."""

CONFIGURATION = {**QUICK, "UserEntitiesConfiguration": QUICK["UserEntitiesConfiguration"] | SLOWLY}
"""A run of six seconds."""


@dataclass(frozen=True)
class Artifacts:
    """What is deployed: the agent's bundle, two versions of a stand-in for Mattermost, and one for Grafana."""

    bundle: Path
    one: Path
    two: Path
    grafana: Path


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """Give the archives that are deployed."""
    skip_without_hosts()
    folder = tmp_path_factory.mktemp("artifacts")
    bundle = packages.bundle(folder / "agents.tar.gz", CONFIGURATION)
    one = packages.stand_in(folder / "one.tar.gz", bundle, "one")
    two = packages.stand_in(folder / "two.tar.gz", bundle, "two")
    return Artifacts(bundle, one, two, packages.grafana(folder / "grafana_0_all.deb"))


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Give hosts in a network of their own, fresh for each test and each further try of one."""
    skip_without_hosts()
    with Stage(HOSTS) as stage:
        yield stage


def skip_without_hosts() -> None:
    """Skip where hosts cannot be made, with the reason; on CI that is a failure."""
    if reason := lacking():
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
