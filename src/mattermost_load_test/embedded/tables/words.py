"""The words that posts can be found by, as PostgreSQL's full-text search with its English dictionary sees them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import snowballstemmer

if TYPE_CHECKING:
    from mattermost_load_test.embedded.tables.posts import Post

_TOO_COMMON = """
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its
itself they them their theirs themselves what which who whom this that these those am is are was were be been being
have has had having do does did doing a an the and but if or because as until while of at by for with about against
between into through during before after above below to from up down in out on off over under again further then once
here there when where why how all any both each few more most other some such no nor not only own same so than too
very s t can will just don should now
"""
STOP_WORDS = frozenset(_TOO_COMMON.split())
"""What is too common to be searched for (PostgreSQL's ``english.stop``)."""

_WORD = re.compile(r"(?:\w+://)?([\w+-]+(?:[.@][\w-]+)+)(?:/\S*)?|([^\W_]+)")
"""A host, an address or a file name, which is one word, or a plain word."""
_STEMMER = snowballstemmer.stemmer("english")


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return what a word is searched by: without its ending, empty for stop words; what has digits stays as it is."""
    if word in STOP_WORDS:
        return ""
    return word if any(map(str.isdigit, word)) else str(_STEMMER.stemWord(word))


def stems(text: str) -> list[str]:
    """Return what the words of a text are searched by, in order."""
    return [found for whole, word in _WORD.findall(text.lower()) if (found := whole or stem(word))]


class WordIndex:
    """Which posts have which word: for each word the places of its posts in one list, which only grows."""

    def __init__(self) -> None:
        self._posts: list[Post | None] = []
        self._place_of: dict[str, int] = {}
        self._by_word: dict[str, array[int]] = {}

    def add(self, post: Post) -> None:
        """Make a post found by its words, and by its hashtags as they stand, from now on by these alone."""
        self.remove(post)
        place = self._place_of[post.id] = len(self._posts)
        self._posts.append(post)
        tags = post.hashtags.lower().split() if post.hashtags else ()
        for word in {*stems(post.message), *tags}:
            places = self._by_word.get(word)
            if places is None:
                places = self._by_word[word] = array("I")
            places.append(place)

    def remove(self, post: Post) -> None:
        """Make a post found no more."""
        place = self._place_of.pop(post.id, None)
        if place is not None:
            self._posts[place] = None

    def begun(self, start: str) -> list[str]:
        """Return the known words that begin so."""
        return [word for word in self._by_word if word.startswith(start)]

    def having(self, words: Iterable[str]) -> set[int]:
        """Return the places of all posts with one of the words."""
        return set().union(*(self._by_word.get(word, ()) for word in words))

    def at(self, places: Iterable[int]) -> Iterator[Post]:
        """Go through the posts at these places, the latest first."""
        for place in sorted(places, reverse=True):
            post = self._posts[place]
            if post is not None:
                yield post
