"""What file and environment give, key by key, each with its place; what cannot be a key is a problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mattermost_load_test.config.models import SECTIONS
from mattermost_load_test.config.other_years import OTHER_YEARS
from mattermost_load_test.config.places import Key

ENVIRONMENT_PREFIX = "MMLOADTEST_"
"""A variable `MMLOADTEST_<SECTION>_<KEY>` stands above what the file says."""


def keys_of(section: str) -> tuple[str, ...]:
    """Return the valid keys of a section, none for a section of another year."""
    fields = SECTIONS[section].model_fields if section in SECTIONS else {}
    return tuple(field.alias or name for name, field in fields.items())


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was given: file (`source` 0, at line and column), default flag (1), variable (2), flag (3)."""

    source: int
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong, and where."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """The value that a key was given, and where."""

    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Flag:
    """A key that was given on the command line, by the flag `name` (``--agent-index``); case does not matter in it."""

    name: str
    section: str
    key: str
    value: Any


class Gathered:
    """What was given so far: `values` and keys of other years (`unused`) by section and key, and the `problems`."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Given] = {}
        self.unused: dict[tuple[str, str], Given] = {}
        self.problems: list[Problem] = []
        self._sections: dict[str, Place] = {}

    def from_file(self, root: Mapping[str, Any], keys: Iterable[Key], name: str) -> None:
        """Take what a file's sections hold, `keys` being all keys of the file with their places."""
        for key in keys:
            place = Place(0, key.line, key.column, f"{name}, line {key.line}, column {key.column}")
            held = root.get(key.path[0])
            if len(key.path) == 1:
                self._take_section(key.path[0], held, place)
            elif len(key.path) == 2 and isinstance(held, dict) and (section := _nearest_case(key.path[0], OTHER_YEARS)):
                self._take_key(section, key.path[1], held.get(key.path[1]), place)

    def from_environment(self, environ: Mapping[str, str]) -> None:
        """Take what the variables of the environment say that begin with the prefix, in whatever case."""
        for variable in sorted(environ):
            if not variable.upper().startswith(ENVIRONMENT_PREFIX):
                continue
            place = Place(2, 0, 0, f"environment variable {variable}")
            section, _, key = variable[len(ENVIRONMENT_PREFIX) :].partition("_")
            known = _nearest_case(section, OTHER_YEARS)
            if known and (_nearest_case(key, keys_of(known)) or _nearest_case(key, OTHER_YEARS[known])):
                self._take_key(known, key, environ[variable], place)
            else:
                self._complain(place, f"no such variable is known; {_nearest_variable(variable)}")

    def from_flags(self, flags: Iterable[Flag], source: int) -> None:
        """Take what command lines say; of flags for the same key the last one counts."""
        for flag in flags:
            place = Place(source, 0, 0, flag.name)
            section = _nearest_case(flag.section, OTHER_YEARS)
            key = _nearest_case(flag.key, keys_of(section)) if section else None
            if section is None:
                self._complain(place, f"{flag.section} is no section; {_nearest_section(flag.section)}")
            elif key is None:
                self._complain(place, f"{section}.{flag.key} is no key; {_nearest_key(section, flag.key)}")
            else:
                self.values[section, key] = Given(flag.value, place)

    def _take_section(self, name: str, held: Any, place: Place) -> None:
        section = _nearest_case(name, OTHER_YEARS)
        if section is None:
            self._complain(place, f"{name} is no section; {_nearest_section(name)}")
        elif section in self._sections:
            self._complain(place, f"section {section} is given twice, before that in {self._sections[section].text}")
        elif held is not None and not isinstance(held, dict):
            self._complain(place, f"{section} is a section: it must be an object with keys in it")
        else:
            self._sections[section] = place

    def _take_key(self, section: str, name: str, value: Any, place: Place) -> None:
        key, taken = _nearest_case(name, keys_of(section)), self.values
        if key is None:
            key, taken = _nearest_case(name, OTHER_YEARS[section]), self.unused
        if key is None:
            self._complain(place, f"{section}.{name} is no key; {_nearest_key(section, name)}")
            return
        before = taken.get((section, key))
        if before and before.place.source == place.source:
            self._complain(place, f"{section}.{key} is given twice, before that in {before.place.text}")
        elif value is not None:  # null stands for the default, as in the original
            taken[section, key] = Given(value, place)

    def _complain(self, place: Place, text: str) -> None:
        self.problems.append(Problem(place, text))


def _nearest_case(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that differs from a name in case at most."""
    return next((candidate for candidate in candidates if candidate.lower() == name.lower()), None)


def _closest(name: str, candidates: Iterable[str]) -> str | None:
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.0)
    return by_lower[close[0]] if close else None


def _nearest_section(name: str) -> str:
    for section in SECTIONS:
        if key := _nearest_case(name, keys_of(section)):
            return f"the key {key} belongs into section {section}"
    return f"the nearest is {_closest(name, SECTIONS)}"


def _nearest_key(section: str, name: str) -> str:
    for other in SECTIONS:
        if key := _nearest_case(name, keys_of(other)):
            return f"the key {key} belongs into section {other}"
    nearest = _closest(name, keys_of(section))
    return f"the nearest is {nearest}" if nearest else f"the section {section} is not used any more"


def _nearest_variable(variable: str) -> str:
    names = [f"{ENVIRONMENT_PREFIX}{section}_{key}".upper() for section in SECTIONS for key in keys_of(section)]
    return f"the nearest is {_closest(variable, names)}"
