"""The population: sizes, classes, memberships, and that it is the same everywhere."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.loadtest.population.bulkload import bulk_lines
from mattermost_load_test.loadtest.population.population import Population
from mattermost_load_test.loadtest.population.volumes import Volume, channel_classes, part
from mattermost_load_test.loadtest.population.words import WORDS
from mattermost_load_test.sampling import Draw, derived_draw, derived_seed

GOLDEN = "3ffb7e86d257b82515d63dfc918abb3ebfc165c5c81b532c75c90886d4210d5f"
"""SHA-256 of the import file of `golden_population`. It changes only if the population is meant to change."""


def population(**keys: Any) -> Population:
    """Return a population of the default configuration with some keys changed."""
    return Population(EnvironmentConfiguration(**keys))


def golden_population() -> Population:
    """Return a population in which everything there is occurs."""
    return population(
        num_teams=7,
        num_users=300,
        num_channels_per_team=12,
        num_private_channels_per_team=5,
        num_direct_message_channels=100,
        num_group_message_channels=100,
        num_emoji=5,
        num_team_schemes=2,
        num_channel_schemes=2,
        percent_custom_scheme_teams=0.5,
        percent_users_mid_volume_channel=0.05,
        seed=42,
    )


def digest(of: Population) -> str:
    """Return the hash of a population's import file."""
    return hashlib.sha256(b"".join(bulk_lines(of, emoji=True))).hexdigest()


def test_same_bytes_as_ever() -> None:
    """The population of a configuration is the same on every machine and Python version."""
    assert digest(golden_population()) == GOLDEN


def test_hash_seed_of_the_process_is_without_effect() -> None:
    """Another process with another hash seed computes the same bytes."""
    code = "import test_population as tests; print(tests.digest(tests.golden_population()))"
    environ = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parent)}
    result = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == GOLDEN


class OnlyRandom(random.Random):
    """A source of chance that refuses every draw but `random`, whose sequence alone Python promises to keep."""

    def getrandbits(self, k: int, /) -> int:
        """Refuse the draw on which `randrange`, `shuffle` and `sample` build."""
        raise AssertionError("only random() may be drawn")


def test_only_random_is_drawn() -> None:
    """Nothing is drawn by any method but `random()`."""

    def draws(seed: int, *purpose: object) -> Draw:
        return OnlyRandom(derived_seed(seed, *purpose)).random

    environment = golden_population().environment
    assert digest(Population(environment, draws)) == GOLDEN
    with pytest.raises(AssertionError):
        OnlyRandom(1).randrange(10)


def test_another_seed_is_another_population_of_the_same_sizes() -> None:
    """The seed changes who is where, not how many there are."""
    one, other = population(seed=1), population(seed=2)
    assert [one.teams_of(user) for user in range(1000)] != [other.teams_of(user) for user in range(1000)]
    for member_lists in ([one.teams_of(u) for u in range(1000)], [other.teams_of(u) for u in range(1000)]):
        assert sum(map(len, member_lists)) == 900


def test_more_of_one_thing_leaves_the_others_as_they_are() -> None:
    """Each purpose has a stream of its own: more direct channels or emoji change no membership and no name."""
    one = population(num_direct_message_channels=0, num_emoji=0)
    other = population(num_direct_message_channels=500, num_emoji=9, num_group_message_channels=3)
    assert list(one.channels()) == list(other.channels())
    assert all(one.channels_of(user) == other.channels_of(user) for user in range(1000))


def test_default_team_holds_nine_tenths_of_the_users() -> None:
    """A single team is of high volume, with 90 % of the users in it."""
    default = population()
    assert default.team(0).volume is Volume.HIGH
    assert sum(bool(default.teams_of(user)) for user in range(1000)) == 900


def test_classes_have_the_sizes_that_the_percentages_say() -> None:
    """Of ten teams and forty channels each, two and eight are high, five and twenty mid, the rest low."""
    ten = population(num_teams=10, num_channels_per_team=30, num_private_channels_per_team=10)
    assert Counter(team.volume for team in ten.teams()) == {Volume.HIGH: 2, Volume.MID: 5, Volume.LOW: 3}
    for team in range(10):
        volumes = [channel.volume for channel in ten.channels() if channel.team == team]
        assert volumes == [Volume.HIGH] * 8 + [Volume.MID] * 20 + [Volume.LOW] * 12


@pytest.mark.parametrize(
    ("size", "high", "mid"),
    [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 1, 1), (4, 1, 2), (5, 1, 2), (9, 1, 4), (10, 2, 5)],
)
def test_first_is_high_and_sizes_are_cut(size: int, high: int, mid: int) -> None:
    """Sizes of classes are cut to whole numbers, and the first is of high volume all the same."""
    classes = channel_classes(EnvironmentConfiguration(num_channels_per_team=size, num_private_channels_per_team=0))
    assert (classes.high, classes.mid) == (high, mid)


def test_parts_are_taken_as_they_are_written() -> None:
    """57 % of 100 are 57, although the fraction 0.57 is a little less in binary."""
    assert part(0.57, 100) == 57
    assert part(0.0002, 900) == 0
    assert part(2e-05, 100_000) == 2


def test_members_of_each_class_are_as_many_as_it_says() -> None:
    """A team has the share of all users that its class says, a channel the share of its team's users."""
    some = population(num_teams=10, num_users=1000, num_channels_per_team=10, num_private_channels_per_team=0)
    in_team = Counter(team for user in range(1000) for team in some.teams_of(user))
    in_channel = Counter(channel for user in range(1000) for channel in some.channels_of(user))
    shares = {Volume.HIGH: 900, Volume.MID: 500, Volume.LOW: 100}
    assert in_team == {team.index: shares[team.volume] for team in some.teams()}
    for channel in some.channels():
        share = {Volume.HIGH: 0.1, Volume.MID: 0.003, Volume.LOW: 0.0002}[channel.volume]
        assert in_channel[channel.index] == part(share, in_team[channel.team])


def test_volumes_fall_on_a_random_order_of_the_teams() -> None:
    """Which teams are of high volume differs from seed to seed, and is not simply the first."""
    high = {
        seed: [team.index for team in population(num_teams=10, seed=seed).teams() if team.volume is Volume.HIGH]
        for seed in range(20)
    }
    assert len({tuple(teams) for teams in high.values()}) > 10


def test_users_are_only_in_channels_of_their_teams_and_once() -> None:
    """Nobody is in a channel of a team it is not in, nor anywhere twice."""
    some = golden_population()
    for user in range(some.num_users):
        teams = some.teams_of(user)
        assert len(set(teams)) == len(teams)
        in_teams = [index for team in teams for index in some.channels_in(user, team)]
        assert sorted(in_teams) == list(some.channels_of(user))
        assert len(set(in_teams)) == len(in_teams)


def test_channels_are_public_before_private_with_two_words() -> None:
    """A channel's name is two of our words and its number in the team; public ones come before private ones."""
    some = golden_population()
    for channel in some.channels():
        assert channel.private == (channel.number >= 12)
        *words, suffix = channel.name.split("-")
        assert suffix == f"loadtestchannel{channel.number}"
        assert len(words) == 2
        assert set(words) <= set(WORDS)
        assert channel.header
        assert channel.purpose
        assert len(channel.name) <= 64
        assert len(channel.display_name) <= 64


def test_our_words_are_distinct_and_plain() -> None:
    """The word list has no repeats and nothing that a channel's name could not hold."""
    assert len(set(WORDS)) == len(WORDS)
    assert all(word.isascii() and word.islower() and word.isalpha() for word in WORDS)


def test_schemes_are_drawn_for_each_team_and_channel() -> None:
    """Some teams and channels get a scheme and some do not, in about the numbers that the percentages say."""
    some = population(num_teams=200, num_users=1, num_channels_per_team=10, num_team_schemes=3, num_channel_schemes=2)
    teams = Counter(team.scheme for team in some.teams())
    assert set(teams) == {None, 0, 1, 2}
    assert 20 < 200 - teams[None] < 60
    assert set(Counter(channel.scheme for channel in some.channels())) == {None, 0, 1}


def test_without_schemes_nobody_has_one() -> None:
    """Where no schemes are asked for, none is given, whatever the percentage."""
    some = population(num_team_schemes=0, num_channel_schemes=0, percent_custom_scheme_channels=1)
    assert {channel.scheme for channel in some.channels()} == {None}


def test_direct_channels_are_distinct_pairs_spread_over_the_users() -> None:
    """Direct channels are as many distinct pairs as asked for, between all users alike."""
    pairs = [direct.members for direct in population(num_users=100, num_direct_message_channels=2000).directs()]
    assert len(pairs) == len(set(pairs)) == 2000
    assert all(0 <= first < second < 100 for first, second in pairs)
    partners = Counter(member for pair in pairs for member in pair)
    assert all(15 < partners[user] < 65 for user in range(100))


@pytest.mark.parametrize("num_users", [1, 2, 3, 5])
def test_direct_channels_are_all_pairs_where_there_are_no_more(num_users: int) -> None:
    """Few users have no more direct channels than they make pairs."""
    pairs = [direct.members for direct in population(num_users=num_users).directs()]
    assert sorted(pairs) == list(combinations(range(num_users), 2))


def test_groups_have_three_to_eight_members_and_are_distinct() -> None:
    """Groups have three members, a twentieth of them more, at most eight, and no two the same members."""
    groups = [group.members for group in population(num_group_message_channels=3000).groups()]
    assert len(groups) == len(set(groups)) == 3000
    assert all(len(set(members)) == len(members) for members in groups)
    sizes = Counter(map(len, groups))
    assert 2800 < sizes[3] < 2900
    assert 90 < sizes[4] < 200
    assert max(sizes) <= 8


@pytest.mark.parametrize(("num_users", "most"), [(1, 0), (2, 0), (3, 1), (4, 5)])
def test_few_users_make_few_groups(num_users: int, most: int) -> None:
    """Where the users do not suffice for the groups asked for, there are fewer, and making them ends."""
    assert len(list(population(num_users=num_users).groups())) <= most


def test_picks_follow_the_weights_of_the_classes() -> None:
    """A user picks a team by its class's weight among its own, and a channel of it likewise."""
    some = population(
        num_users=10,
        num_teams=3,
        percent_high_volume_teams=0.34,
        percent_mid_volume_teams=0.34,
        percent_users_high_volume_teams=1,
        percent_users_mid_volume_teams=1,
        percent_users_low_volume_teams=1,
        num_channels_per_team=10,
        num_private_channels_per_team=0,
        percent_users_high_volume_channel=1,
        percent_users_mid_volume_channel=1,
        percent_users_low_volume_channel=1,
    )
    draw = derived_draw(1, "picks")
    teams = Counter(some.team(some.pick_team(4, draw) or 0).volume for _ in range(6000))
    assert {volume: round(count / 1000) for volume, count in teams.items()} == {
        Volume.HIGH: 3,
        Volume.MID: 2,
        Volume.LOW: 1,
    }
    picked = [some.pick_channel(4, 1, draw) for _ in range(8000)]
    assert {index // 10 for index in picked if index is not None} == {1}
    channels = Counter(index for index in picked)
    # weights 1, 3, 1 for 2, 5 and 3 channels: 20 in all
    assert all(300 < channels[index] < 500 for index in (10, 11, 17, 18, 19))
    assert all(1050 < channels[index] < 1350 for index in (12, 13, 14, 15, 16))


def test_users_without_anything_pick_nothing() -> None:
    """A user without a team or channel, or with none that weighs anything, picks nothing."""
    nobody = population(num_users=1)  # 90 % of one user is none
    draw = derived_draw(1, "picks")
    assert nobody.pick_team(0, draw) is None
    assert nobody.pick_channel(0, 0, draw) is None
    weightless = population(high_volume_team_selection_weight=0)
    assert weightless.pick_team(next(u for u in range(1000) if weightless.teams_of(u)), draw) is None


def test_memberships_are_held_compactly() -> None:
    """Where every user is in all of 400 channels, a membership takes four bytes, not an object."""
    whole = population(
        num_users=2000,
        percent_users_high_volume_channel=1,
        percent_users_mid_volume_channel=1,
        percent_users_low_volume_channel=1,
    )
    member = next(user for user in range(2000) if whole.teams_of(user))
    assert len(whole.channels_of(member)) == 400
    assert whole.channels_of(member).itemsize == 4
