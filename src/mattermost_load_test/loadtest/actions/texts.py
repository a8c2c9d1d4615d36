"""What users write and search for: words from a list of our own, drawn by the user's own chance."""

from __future__ import annotations

from mattermost_load_test.loadtest.user import User

_WORD_LIST = """
again agenda almost answer arrive autumn basket because before better bridge button candle careful change chapter
clear coffee colour corner could customer daily decide deploy detail dinner early either email engine enough evening
every example family finish follow forget friday friend garden gather green happen harbour holiday house idea
important inside issue journey keyboard kitchen later letter little lunch maybe meeting message minute monday morning
music never nothing number office often open order other paper people person picture planet please point problem
project quarter question quick quiet rather reason release remember report river room school second seldom server
simple sometimes spring station story summer sunday table team thing thursday ticket today together tomorrow travel
under until update useful usually version village visit water weather wednesday week window winter without wonder work
world write yesterday young
"""
WORDS = tuple(_WORD_LIST.split())


def words(user: User, count: int) -> str:
    """Return `count` words."""
    return " ".join(WORDS[user.below(len(WORDS))] for _ in range(count))


def sentence(user: User) -> str:
    """Return a sentence of four to fifteen words."""
    return words(user, 4 + user.below(12)).capitalize() + "."


def sentences(user: User) -> str:
    """Return a message of one to five sentences."""
    return " ".join(sentence(user) for _ in range(1 + user.below(5)))


def paragraphs(user: User) -> str:
    """Return one to five paragraphs."""
    return "\n\n".join(sentences(user) for _ in range(1 + user.below(5)))
