"""The models of the configuration: its keys, and what follows from one another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mattermost_load_test.config import ConnectionConfiguration, load
from mattermost_load_test.config.models import SECTIONS
from mattermost_load_test.config.redaction import redacted, without_user_info
from mattermost_load_test.loadtest.population.population import Population

ROOT = Path(__file__).parent.parent.parent
ORIGINAL = json.loads((ROOT / "tests" / "data" / "config" / "original-2018.json").read_text())


def keys() -> dict[str, list[str | None]]:
    """Return the keys of the models by section."""
    return {name: [field.alias for field in model.model_fields.values()] for name, model in SECTIONS.items()}


def test_every_key_of_the_original_is_there_with_its_default() -> None:
    """Each key of the original's default file is a key here and has the same default, but for the data source."""
    for section, values in ORIGINAL.items():
        defaults = {field.alias: field.default for field in SECTIONS[section].model_fields.values()}
        for key, value in values.items():
            default = defaults[key]
            shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
            assert shown == ("" if key == "DataSource" else value), key


def test_every_key_is_described_and_numbers_have_a_range() -> None:
    """Each key has a description, and each number a range."""
    for model in SECTIONS.values():
        for field in model.model_fields.values():
            assert (field.description or "").endswith("."), field.alias
            if field.annotation in (int, float):
                assert any(hasattr(item, "le") for item in field.metadata), field.alias


def test_attributes_are_the_keys_in_snake_case() -> None:
    """An attribute is its key with underscores between the words."""
    for model in SECTIONS.values():
        for name, field in model.model_fields.items():
            assert name.replace("_", "") == (field.alias or "").lower()


@pytest.mark.parametrize(
    ("given", "websocket"),
    [
        ({"server_url": "http://127.0.0.1:9000"}, "ws://127.0.0.1:9000"),
        ({"server_url": "https://chat.example.com", "websocket_url": ""}, "wss://chat.example.com"),
        ({"server_url": "http://a", "websocket_url": "ws://b"}, "ws://b"),
        ({}, "ws://localhost:8065"),
    ],
)
def test_websocket_follows_the_server(given: dict[str, str], websocket: str) -> None:
    """A websocket URL that is not given is that of the server, secured if the server is."""
    assert ConnectionConfiguration.model_validate(given).websocket_url == websocket


def test_settings_line_has_the_keys_of_the_file_and_no_secret() -> None:
    """What is shown of a configuration carries the file's keys, and no password, data source or user of a URL."""
    environ = {
        "MMLOADTEST_RESULTSCONFIGURATION_CUSTOMREPORTTEXT": "see http://admin:hush@localhost:8065",
        "MMLOADTEST_CONNECTIONCONFIGURATION_ADMINPASSWORD": "hush",
        "MMLOADTEST_CONNECTIONCONFIGURATION_SSHPASSWORD": "hush",
        "MMLOADTEST_CONNECTIONCONFIGURATION_DATASOURCE": "user:hush@tcp(db)/mattermost",
        "MMLOADTEST_RESULTSCONFIGURATION_RESULTSPASSWORD": "hush",
    }
    shown = redacted(load(ROOT / "loadtestconfig.json", environ, ROOT).configuration)
    secrets = {"DataSource", "SSHPassword", "AdminPassword", "ResultsPassword"}
    assert {name: list(section) for name, section in shown.items()} == {
        name: [key for key in section if key not in secrets] for name, section in keys().items()
    }
    assert "hush" not in json.dumps(shown)
    assert shown["ResultsConfiguration"]["CustomReportText"] == "see http://localhost:8065"


def test_user_info_is_cut_out_of_urls_only() -> None:
    """An at sign outside of a URL's host part is no user information."""
    assert (
        without_user_info("see http://a:b@c/d@e and success+x@example.com")
        == "see http://c/d@e and success+x@example.com"
    )


def test_shipped_file_holds_every_key_and_loads_silently() -> None:
    """The file at the top has each key once and gives no warning; its data source is empty."""
    shipped = json.loads((ROOT / "loadtestconfig.json").read_text())
    assert {name: set(section) for name, section in shipped.items()} == {name: set(k) for name, k in keys().items()}
    loaded = load(None, {}, ROOT)
    assert loaded.warnings == ()
    assert loaded.configuration.connection.data_source.get_secret_value() == ""


@pytest.mark.parametrize("num_users", [1, 7, 200, 1000])
def test_every_user_of_the_shipped_file_has_a_team_and_a_channel_in_it(num_users: int) -> None:
    """Nobody has nothing to act on in the shipped population, also with another number of users."""
    environ = {"MMLOADTEST_LOADTESTENVIROMENTCONFIG_NUMUSERS": str(num_users)}
    population = Population(load(None, environ, ROOT).configuration.environment)
    for user in range(num_users):
        assert all(population.channels_in(user, team) for team in population.teams_of(user))
        assert population.teams_of(user)


def test_shipped_entities_have_users_of_their_own() -> None:
    """The shipped file plays no more users than it makes."""
    configuration = load(None, {}, ROOT).configuration
    assert configuration.entities.num_active_entities <= configuration.environment.num_users
