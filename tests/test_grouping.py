"""The tests themselves: those that share something dear run on one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("grouping")
def test_groups_hold(request: pytest.FixtureRequest) -> None:
    """A group is told by the end of a test's name, which pytest 9.2 does not keep as xdist sets it."""
    if "PYTEST_XDIST_WORKER" not in os.environ or not request.config.getoption("loadgroup"):
        pytest.skip("the tests are not shared out by groups: make test does that")
    assert request.node.nodeid.endswith("@grouping")
