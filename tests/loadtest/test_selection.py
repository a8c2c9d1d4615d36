"""Which user each entity plays."""

from __future__ import annotations

import pytest

from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.coordination import AgentPlace
from mattermost_load_test.loadtest.selection import permutation, users_played


def test_agents_play_consecutive_users() -> None:
    """The second of three agents with 100 entities each plays users 100 to 199."""
    assert list(users_played(100, AgentPlace(1, 3), 1000, 0, False)) == list(range(100, 200))


def test_randomized_agents_share_out_one_permutation() -> None:
    """Three agents that select at random never play a user twice, and together play what the seed says."""
    shares = [list(users_played(10, AgentPlace(agent, 3), 50, 42, True)) for agent in range(3)]
    assert [user for share in shares for user in share] == list(permutation(50, 42))[:30]
    assert len({user for share in shares for user in share}) == 30


def test_the_permutation_is_the_same_everywhere() -> None:
    """The seed alone decides the order: machines and Python versions do not (a golden value)."""
    assert list(permutation(12, 1)) == [8, 11, 4, 0, 5, 6, 10, 3, 2, 7, 9, 1]
    assert sorted(permutation(1000, 5)) == list(range(1000))


def test_more_entities_than_users_is_an_error_that_names_both_keys() -> None:
    """Users are never played twice: too few of them is told before anything starts."""
    with pytest.raises(ConfigurationError, match=r"2 agents with 60 entities each need 120 users.*NumUsers.*NumActive"):
        users_played(60, AgentPlace(0, 2), 100, 0, False)
