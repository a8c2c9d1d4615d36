"""What users write and search for: words of the population's list, drawn by the user's own chance."""

from __future__ import annotations

from mattermost_load_test.loadtest.population import words as word_list
from mattermost_load_test.loadtest.user import User

MOST_SENTENCES = 5
MOST_PARAGRAPHS = 5


def words(user: User, count: int) -> str:
    """Return `count` words."""
    return " ".join(word_list.words(count, user.random.random))


def sentence(user: User) -> str:
    """Return a sentence."""
    return word_list.sentence(user.random.random)


def sentences(user: User) -> str:
    """Return a message of a few sentences."""
    return " ".join(sentence(user) for _ in range(1 + user.below(MOST_SENTENCES)))


def paragraphs(user: User) -> str:
    """Return a few paragraphs."""
    return "\n\n".join(sentences(user) for _ in range(1 + user.below(MOST_PARAGRAPHS)))
