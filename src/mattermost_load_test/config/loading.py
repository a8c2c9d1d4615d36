"""Finds, reads and checks the configuration: the file first, the environment over it, and over both what flags say.

Every problem of them is gathered, so that one `ConfigurationError` names them all, each with its place (file, line and
column, the variable, or the flag), its key and what would be valid. No message holds a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mattermost_load_test.config.gathering import Flag, Gathered, Given, Problem
from mattermost_load_test.config.keys import bounds, is_secret, type_words
from mattermost_load_test.config.models import SECTIONS, Configuration
from mattermost_load_test.config.other_years import DATABASE_ENDPOINT
from mattermost_load_test.config.places import read_json
from mattermost_load_test.config.redaction import without_user_info
from mattermost_load_test.errors import ConfigurationError

CONFIGURATION_FILE = "loadtestconfig.json"
"""The file that is looked for in the current folder, then in its folder `config`."""

_LONGEST_SHOWN = 60
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class LoadedConfiguration:
    """A checked configuration, the file it came from (None: no file, the built-in defaults), and what to tell the user.

    Each of the `warnings` is one sentence or more, to be shown once.
    """

    configuration: Configuration
    path: Path | None
    warnings: tuple[str, ...]


def current_folder() -> Path:
    """Return the folder that a configuration is looked for in; raises `ConfigurationError` if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigurationError("the current folder was removed: change to one that is there") from error


def find(cwd: Path) -> Path | None:
    """Return the configuration file of a folder: the one in it, else the one in its folder `config`, else None.

    Raises `ConfigurationError` for a folder that cannot be searched.
    """
    candidates = (cwd / CONFIGURATION_FILE, cwd / "config" / CONFIGURATION_FILE)
    try:
        return next((candidate for candidate in candidates if candidate.is_file()), None)
    except OSError as error:
        raise ConfigurationError(
            f"{cwd} cannot be searched for {CONFIGURATION_FILE}: {error.strerror}; name the file with --config"
        ) from error


def load(
    path: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    *,
    allow_defaults: bool = False,
    defaults: Iterable[Flag] = (),
    flags: Iterable[Flag] = (),
) -> LoadedConfiguration:
    """Load the configuration from `path` (relative to `cwd`), else from the file found in `cwd`, `environ` and `flags`.

    `defaults` are flags that the environment stands above. Where there is no file, the built-in defaults stand in its
    place if `allow_defaults`. Raises `ConfigurationError` for a file that is missing or broken, and for everything
    wrong in file, environment and flags, all in one message.
    """
    found = cwd / path if path else find(cwd)
    if found is None and not allow_defaults:
        raise ConfigurationError(
            f"there is no {CONFIGURATION_FILE} in {cwd} nor in {cwd / 'config'}: "
            "change to the folder that holds it, or name the file with --config"
        )
    gathered = Gathered()
    if found:
        _read_file(found, _shown_path(found, cwd), gathered)
    gathered.from_flags(defaults, source=1)
    gathered.from_environment(environ)
    gathered.from_flags(flags, source=3)
    _use_endpoint(gathered)
    configuration = _checked(gathered)
    return LoadedConfiguration(configuration, found, tuple(_warnings(configuration, gathered)))


def _shown_path(path: Path, cwd: Path) -> str:
    return str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)


def _read_file(path: Path, name: str, gathered: Gathered) -> None:
    root, keys = read_json(path, name)
    if not isinstance(root, dict):
        raise ConfigurationError(f"{name}: must be a JSON object with the sections {', '.join(SECTIONS)}")
    gathered.from_file(root, keys, name)


def _use_endpoint(gathered: Gathered) -> None:
    """Let the key of other years that named the database stand in for an empty data source."""
    target = ("ConnectionConfiguration", "DataSource")
    endpoint = gathered.unused.get((target[0], DATABASE_ENDPOINT))
    present = gathered.values.get(target)
    if endpoint and endpoint.value and (present is None or present.value == ""):
        gathered.values[target] = endpoint
        del gathered.unused[target[0], DATABASE_ENDPOINT]


def _checked(gathered: Gathered) -> Configuration:
    """Return the configuration of what was gathered; raises `ConfigurationError` with all problems."""
    values: dict[str, dict[str, Any]] = {}
    for (section, key), given in gathered.values.items():
        values.setdefault(section, {})[key] = given.value
    problems = list(gathered.problems)
    configuration = None
    try:
        configuration = Configuration.model_validate(values)
    except ValidationError as error:
        problems += _problems(error.errors(include_url=False), gathered.values)
    if configuration is None or problems:
        raise ConfigurationError(_message(problems))
    return configuration


def _problems(errors: list[ErrorDetails], values: Mapping[tuple[str, str], Given]) -> Iterator[Problem]:
    """Say what is wrong with each value given; a value derived from a wrong one is not named beside it."""
    for error in errors:
        section, key = str(error["loc"][0]), str(error["loc"][1])
        given = values.get((section, key))
        derived = given is not None and given.value == "" and bool(error["input"])
        if given and not derived:
            field = next(item for item in SECTIONS[section].model_fields.values() if item.alias == key)
            shown = "" if is_secret(field) else f", not {_shown(given.value)}"
            yield Problem(given.place, f"{section}.{key} {_demand(error, field)}{shown}")


def _demand(error: ErrorDetails, field: FieldInfo) -> str:
    """Return what a key's value must be."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "string_too_short":
        return "must not be empty"
    words, limits = type_words(field), bounds(field)
    return f"must be {words}, {limits}" if limits else f"must be {words}"


def _shown(value: Any) -> str:
    """Return a value as a message may show it: shortened, and nothing of what stands inside of an object or list."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = without_user_info(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _message(problems: list[Problem]) -> str:
    lines = [f"{problem.place.text}: {problem.text}" for problem in sorted(problems)]
    if len(lines) == 1:
        return lines[0]
    return "\n  ".join([f"the configuration has {len(lines)} problems:", *lines])


def _warnings(configuration: Configuration, gathered: Gathered) -> Iterator[str]:
    """Yield what a user should know of a configuration that can be used."""
    if gathered.unused:
        named = ", ".join(f"{section}.{key}" for section, key in gathered.unused)
        yield f"Keys of other years of the original tool, not used: {named}."
    if configuration.connection.skip_certificate_verification:
        yield (
            "Certificates are not verified (ConnectionConfiguration.SkipCertificateVerification): "
            "whoever sits between agent and server can read and change everything, passwords included."
        )
    if not configuration.entities.enable_request_timing:
        yield "UserEntitiesConfiguration.EnableRequestTiming is false, but has no effect: requests are timed always."
    yield from _volume_warnings(configuration)


def _volume_warnings(configuration: Configuration) -> Iterator[str]:
    environment = configuration.environment
    teams = environment.percent_high_volume_teams + environment.percent_mid_volume_teams
    channels = environment.percent_high_volume_channels + environment.percent_mid_volume_channels
    sums = {
        "Teams": teams + environment.percent_low_volume_teams,
        "Channels": channels + environment.percent_low_volume_channels,
    }
    for noun, total in sums.items():
        if abs(total - 1) > _ROUNDING:
            yield (
                f"PercentHighVolume{noun}, PercentMidVolume{noun} and PercentLowVolume{noun} add up to {total:g}, "
                "not 1: high volume comes first, then mid, and the rest is low."
            )
