"""Finding posts by their words, as servers do on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from mattermost_load_test.embedded import search_terms
from mattermost_load_test.embedded.entering import direct_name
from mattermost_load_test.embedded.search_terms import Terms
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.attachments import FileInfo
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.words import stems

_SPACES = re.compile(r"[<>+\-()~@:]")
"""What counts as a space in a search."""

FOUND_MAX = 100
"""How many posts a search finds at most."""


class _Scope:
    """Where one user searches: in the own channels of one team, or of all teams with an empty `team_id`."""

    def __init__(self, site: Site, user_id: str, team_id: str, terms: Terms, *, archived: bool, offset_s: int) -> None:
        self._site = site
        self._user_id = user_id
        self._team_id = team_id
        self._terms = terms
        self.channels = self._channels(archived)
        self._authors = self._find_authors()
        self._spans = search_terms.periods(terms, offset_s, site.now_ms())

    def holds(self, channel_id: str, user_id: str, create_at: int) -> bool:
        """Tell whether what somebody made in a channel at a time is searched."""
        if channel_id not in self.channels or not (self._authors is None or user_id in self._authors):
            return False
        return all((span.start <= create_at <= span.end) == wanted for span, wanted in self._spans)

    def _channels(self, archived: bool) -> set[str]:
        state = self._site.state
        own = (state.channels.by_id[channel_id] for channel_id in state.channels.of_user(self._user_id))
        allowed = {
            channel.id
            for channel in own
            if (not self._team_id or channel.team_id in ("", self._team_id)) and (archived or not channel.delete_at)
        }
        inside, outside = self._terms.values("in"), self._terms.values("-in")
        if inside:
            allowed &= {self._channel_id(name) for name in inside}
        return allowed - {self._channel_id(name) for name in outside}

    def _channel_id(self, name: str) -> str:
        """Return the id of the channel that a filter names: as ``@username`` the direct one, else by name or id."""
        state = self._site.state
        if name.startswith("@"):
            user = state.users.by_username.get(name[1:].lower())
            channel = None if user is None else state.channels.named("", direct_name(self._user_id, user.id))
        else:
            channel = state.channels.named(self._team_id, name.lower())
        return name if channel is None else channel.id

    def _find_authors(self) -> set[str] | None:
        """Return the ids of those whose posts are wanted, None for everybody's."""
        wanted, unwanted = self._terms.values("from"), self._terms.values("-from")
        if not wanted and not unwanted:
            return None
        members = set(self._site.state.team_member_ids(self._team_id))
        if wanted:
            members &= self._user_ids(wanted)
        return members - self._user_ids(unwanted)

    def _user_ids(self, names: list[str]) -> set[str]:
        by_username = self._site.state.users.by_username
        found = ((name, by_username.get(name.lower())) for name in names)
        return {name if user is None else user.id for name, user in found}


class PostSearch:
    """One search for posts by one user; `offset_s` is how far the user's clock is ahead of UTC.

    `archived` looks into archived channels, too.
    """

    def __init__(
        self, site: Site, user_id: str, team_id: str, terms: Terms, *, archived: bool = False, offset_s: int = 0
    ) -> None:
        self._posts = site.state.posts
        self._index = site.state.posts.words
        self._terms = terms
        self._scope = _Scope(site, user_id, team_id, terms, archived=archived, offset_s=offset_s)

    def run(self, *, any_word: bool) -> list[Post]:
        """Return what is found, the newest first; `any_word` asks for one of the words instead of all of them."""
        candidates = [*self._by_words(any_word), *self._by_tags(any_word)]
        if not self._terms.words and not self._terms.tags and self._is_filtered():
            candidates = [self._all_posts()]
        found: dict[str, Post] = {}
        for posts in candidates:
            allowed = (post for post in posts if self._allows(post))
            found |= {post.id: post for post in islice(allowed, FOUND_MAX)}
        return sorted(found.values(), key=lambda post: -post.create_at)

    def _allows(self, post: Post) -> bool:
        return not post.is_system and self._scope.holds(post.channel_id, post.user_id, post.create_at)

    def _is_filtered(self) -> bool:
        """Tell whether there are filters that are enough to search by."""
        return bool(self._terms.values("in", "-in", "from", "-from", "on", "after", "before"))

    def _by_words(self, any_word: bool) -> Iterator[Iterable[Post]]:
        terms = self._terms
        if not terms.words or terms.words == ["*"]:
            return
        groups = [group for word in terms.words for group in self._meanings(word)]
        places = self._combined(groups, any_word) - self._index.having(
            word for term in terms.without for group in self._meanings(term) for word in group
        )
        posts: Iterable[Post] = self._index.at(places)
        if terms.is_phrase and not any_word:
            phrase = stems(" ".join(terms.words))
            posts = (post for post in posts if _holds(stems(post.message), phrase))
        yield posts

    def _meanings(self, term: str) -> Iterator[list[str]]:
        """Give for each word in a term the indexed words that it asks for; stop words ask for none."""
        words = _SPACES.sub(" ", term).replace("*", " * ").split()
        for place, word in enumerate(words):
            for meant in stems(word):
                if words[place + 1 : place + 2] == ["*"]:
                    yield self._index.begun(meant)
                else:
                    yield [meant]

    def _combined(self, groups: list[list[str]], any_word: bool) -> set[int]:
        sets = [self._index.having(group) for group in groups]
        if not sets:
            return set()
        return set.union(*sets) if any_word else set.intersection(*sets)

    def _by_tags(self, any_word: bool) -> Iterator[Iterable[Post]]:
        terms = self._terms
        if not terms.tags:
            return
        places = self._combined([[tag.lower()] for tag in terms.tags], any_word)
        yield self._index.at(places - self._index.having(tag.lower() for tag in terms.without_tags))

    def _all_posts(self) -> Iterator[Post]:
        for channel_id in self._scope.channels:
            yield from reversed(self._posts.of_channel(channel_id).living)


def _holds(words: list[str], phrase: list[str]) -> bool:
    """Tell whether the words of a phrase stand in a text one after the other."""
    length = len(phrase)
    return any(words[start : start + length] == phrase for start in range(len(words) - length + 1))


def search_files(
    site: Site, user_id: str, team_id: str, terms: Terms, *, any_word: bool, archived: bool, offset_s: int
) -> list[FileInfo]:
    """Return the files of posts whose names have the words, the newest first; for the arguments see `PostSearch`."""
    scope = _Scope(site, user_id, team_id, terms, archived=archived, offset_s=offset_s)
    with_kind, without_kind = terms.values("ext"), terms.values("-ext")
    wanted = _name_stems(" ".join(terms.words))
    unwanted = _name_stems(" ".join(terms.without))
    found: list[FileInfo] = []
    if terms.words and not wanted:  # nothing but stop words
        return found
    for file in site.state.attachments.files.values():
        words = _name_stems(file.name)
        if (
            file.post_id
            and not file.delete_at
            and scope.holds(file.channel_id, file.user_id, file.create_at)
            and not (with_kind and file.extension not in with_kind)
            and file.extension not in without_kind
            and not words & unwanted
            and (bool(words & wanted) if any_word and wanted else wanted <= words)
        ):
            found.append(file)
    return sorted(found, key=lambda file: -file.create_at)[:FOUND_MAX]


def _name_stems(name: str) -> set[str]:
    """Return what the words of a file's name are searched by, its extension among them."""
    return set(stems(re.sub(r"[^\w]|_", " ", name)))
