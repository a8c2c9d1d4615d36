"""Finding posts by their words, as servers do on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mattermost_load_test.embedded import search_terms
from mattermost_load_test.embedded.entering import direct_name
from mattermost_load_test.embedded.search_terms import Terms
from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.words import stems

FOUND_MAX = 100
"""How many posts a search finds at most."""


class PostSearch:
    """One search by one user: in that user's channels of one team (of all teams with an empty `team_id`)."""

    def __init__(self, site: Site, user_id: str, team_id: str, terms: Terms) -> None:
        self._site = site
        self._user_id = user_id
        self._team_id = team_id
        self._terms = terms
        self._index = site.state.posts.words

    def run(self, *, any_word: bool, archived: bool, offset_s: int = 0) -> list[Post]:
        """Return what is found, the newest first.

        `any_word` asks for one of the words instead of all of them; `archived` looks into archived channels, too;
        `offset_s` is how far the user's clock is ahead of UTC.
        """
        candidates = [*self._by_words(any_word), *self._by_tags(any_word)]
        if not candidates and self._terms.filters and not self._terms.words and not self._terms.tags:
            candidates = [self._all_posts()]
        channels, authors = self._channels(archived), self._authors()
        spans = search_terms.periods(self._terms, offset_s, self._site.now_ms())
        found: dict[str, Post] = {}
        for posts in candidates:
            left = FOUND_MAX
            for post in posts:
                if (
                    post.channel_id not in channels
                    or post.is_system
                    or not (authors is None or post.user_id in authors)
                ):
                    continue
                if all((span.start <= post.create_at <= span.end) == wanted for span, wanted in spans):
                    found[post.id] = post
                    left -= 1
                    if not left:
                        break
        return sorted(found.values(), key=lambda post: -post.create_at)

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
        words = term.replace("*", " * ").split()
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
        state = self._site.state
        for channel_id in self._channels(archived=True):
            yield from reversed(state.posts.of_channel(channel_id).living)

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

    def _authors(self) -> set[str] | None:
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


def _holds(words: list[str], phrase: list[str]) -> bool:
    """Tell whether the words of a phrase stand in a text one after the other."""
    length = len(phrase)
    return any(words[start : start + length] == phrase for start in range(len(words) - length + 1))
