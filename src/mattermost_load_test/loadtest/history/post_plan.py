"""Which posts `loadposts` writes: pure and seeded, a part of a channel's history at a time.

Posts of a channel are numbered from the oldest on and spread evenly over the time range, each somewhere in its own
slot, so that they are in order of time however few are planned at once. What is planned depends on the seed, the
channel and the part only: it is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.errors import ConfigurationError
from mattermost_load_test.loadtest.population.words import sentence
from mattermost_load_test.sampling import Draw, below, choice, derived_draw

PART_POSTS = 10_000
"""The most posts that are planned at once; replies refer to roots of the same part."""

REPLIED_ROOTS = 50
"""A reply goes to one of so many latest roots, to the newer ones more often: people rarely dig for old threads."""

MAX_AUTHORS = 500
"""So many members of a channel write in it: the list of them must fit in memory for any channel."""

_SENTENCES = 4096


def channel_key(team: int, number: int) -> str:
    """Return what stands for a channel in the plan of posts."""
    return f"{team}/{number}"


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post: its number in its channel, when it was made, by which of the channel's authors, and its root's number.

    `root` is None for a post that is none's reply; `author` counts from 0.
    """

    number: int
    created_ms: int
    author: int
    root: int | None
    message: str


class PostPlan:
    """The posts of all public channels of the population; raises `ConfigurationError` if there are fewer than channels.

    `range_ms` is how far back they reach.
    """

    def __init__(self, environment: EnvironmentConfiguration) -> None:
        self.num_teams = environment.num_teams
        self.num_channels_per_team = environment.num_channels_per_team
        self.seed = environment.seed
        self.range_ms = environment.post_time_range * 1000
        self.reply_chance = environment.reply_chance
        self.posts_per_channel = _posts_per_channel(environment)
        draw = derived_draw(self.seed, "sentences of posts")
        self._sentences = tuple(sentence(draw) for _ in range(_SENTENCES))

    def covers(self, team: int, number: int) -> bool:
        """Say whether the public channel `number` of `team` is one of the population's."""
        return team < self.num_teams and number < self.num_channels_per_team

    def parts(self, written: int) -> Iterator[range]:
        """Yield the numbers of a channel's posts in parts, where the first `written` of them are there already."""
        first = written
        while first < self.posts_per_channel:
            end = min(first - first % PART_POSTS + PART_POSTS, self.posts_per_channel)
            yield range(first, end)
            first = end

    def part(self, channel: str, numbers: range, authors: int, until_ms: int) -> list[PlannedPost]:
        """Return the posts `numbers` of `channel` (``team/channel``) by `authors` authors, all before `until_ms`."""
        draw = derived_draw(self.seed, "posts", channel, numbers.start)
        slot_ms = self.range_ms / self.posts_per_channel
        begin_ms = until_ms - self.range_ms
        roots: list[int] = []
        posts = []
        for number in numbers:
            root = None
            if roots and draw() < self.reply_chance:
                root = roots[-1 - int(draw() ** 2 * min(len(roots), REPLIED_ROOTS))]
            else:
                roots.append(number)
            created_ms = begin_ms + int((number + draw()) * slot_ms)
            posts.append(PlannedPost(number, created_ms, below(authors, draw), root, self._message(draw)))
        return posts

    def _message(self, draw: Draw) -> str:
        """Return one to three sentences."""
        return " ".join([choice(self._sentences, draw) for _ in range(1 + below(3, draw))])


def _posts_per_channel(environment: EnvironmentConfiguration) -> int:
    """Return how many posts each public channel gets."""
    channels = environment.num_teams * environment.num_channels_per_team
    if channels == 0:
        raise ConfigurationError(
            "LoadtestEnviromentConfig.NumChannelsPerTeam is 0: there is no public channel to put posts in"
        )
    if environment.num_posts < channels:
        raise ConfigurationError(
            f"LoadtestEnviromentConfig.NumPosts is {environment.num_posts}, but there are {channels} public channels:"
            " each gets the same number of posts, so it must be at least that"
        )
    return environment.num_posts // channels
