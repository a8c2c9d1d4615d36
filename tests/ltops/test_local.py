"""A local cluster with the embedded server that is there already."""

from __future__ import annotations

from typing import Any

import pytest

Ops = Any
"""An `Ops` of the conftest beside."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_deploying_again_changes_nothing(solo: Ops) -> None:
    """What is as it should be is left alone: the process is the same one, and the command says so."""
    before = sorted(process.pid for process in solo.processes())
    assert "Nothing to do" in solo.good("deploy", "-c", "demo").stderr
    assert sorted(process.pid for process in solo.processes()) == before


def test_addresses_of_what_is_served(solo: Ops) -> None:
    """On this machine `forward` prints an address as it is; a cluster without a database says so."""
    url = solo.state("demo")["site_url"]
    assert solo.good("forward", "app", "-c", "demo").stdout == f"app-0: {url}\n"
    ended = solo.run("forward", "db", "-c", "demo")
    assert (ended.code, ended.error) == (2, "the cluster demo has no database that is known here")
    ended = solo.run("forward", "app", "-c", "demo", "-i", "1")
    assert (ended.code, ended.error) == (2, "the cluster demo has no app instance 1: there is only app-0")


def test_options_of_other_kinds_are_refused(solo: Ops) -> None:
    """Each by its name."""
    ended = solo.run("deploy", "-c", "demo", "--agent-image", "registry.example.com/agent:1")
    assert (ended.code, ended.error) == (2, "--agent-image means nothing for a cluster of type local")


def test_a_place_where_no_archive_can_be(solo: Ops) -> None:
    """`collect` says so before it asks anybody."""
    ended = solo.run("collect", "-c", "demo", "-o", str(solo.folder / "nowhere" / "demo.tar.gz"))
    assert (ended.code, ended.error) == (2, f"there is no folder {solo.folder}/nowhere to put demo.tar.gz into")
    assert "collect logs" not in ended.stderr
