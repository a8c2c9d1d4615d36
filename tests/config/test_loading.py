"""Loading the configuration: where it is found, what it takes, and how it says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.config import Configuration, load
from mattermost_load_test.errors import ConfigurationError

DATA = Path(__file__).parent.parent / "data" / "config"


def write(folder: Path, content: Any) -> Path:
    """Write a configuration file, given as text or as what JSON can hold."""
    path = folder / "loadtestconfig.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def load_problem(folder: Path, content: Any, environ: dict[str, str] | None = None) -> str:
    """Return the message with which a configuration is refused."""
    write(folder, content)
    with pytest.raises(ConfigurationError) as refused:
        load(None, environ or {}, folder)
    return str(refused.value)


def test_current_folder_comes_before_its_config_folder(tmp_path: Path) -> None:
    """The file in the folder itself is read, and only without it the one in `config`."""
    (tmp_path / "config").mkdir()
    inner = write(tmp_path / "config", {"LoadtestEnviromentConfig": {"NumUsers": 7}})
    assert load(None, {}, tmp_path).path == inner
    outer = write(tmp_path, {"LoadtestEnviromentConfig": {"NumUsers": 8}})
    loaded = load(None, {}, tmp_path)
    assert (loaded.path, loaded.configuration.environment.num_users) == (outer, 8)


def test_named_file_is_read_instead(tmp_path: Path) -> None:
    """A path that is given is taken relative to the current folder and needs no particular name."""
    write(tmp_path, {"LoadtestEnviromentConfig": {"NumUsers": 8}})
    (tmp_path / "mine.json").write_text('{"LoadtestEnviromentConfig": {"NumUsers": 9}}')
    assert load(Path("mine.json"), {}, tmp_path).configuration.environment.num_users == 9


def test_no_file_is_an_error_unless_defaults_are_allowed(tmp_path: Path) -> None:
    """Without a file the message names both places; where a caller allows it, the built-in defaults serve."""
    with pytest.raises(ConfigurationError, match=r"no loadtestconfig\.json in .*--config"):
        load(None, {}, tmp_path)
    loaded = load(None, {}, tmp_path, allow_defaults=True)
    assert (loaded.configuration, loaded.path, loaded.warnings) == (Configuration(), None, ())


def test_named_file_must_be_there(tmp_path: Path) -> None:
    """A file that was named and is missing is an error even where defaults are allowed."""
    with pytest.raises(ConfigurationError, match=r"absent\.json: there is no such configuration file"):
        load(Path("absent.json"), {}, tmp_path, allow_defaults=True)


def test_folder_is_no_file(tmp_path: Path) -> None:
    """A folder in place of the file is said to be unreadable."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="folder: the configuration file cannot be read"):
        load(Path("folder"), {}, tmp_path)


def test_files_of_the_original_load_unchanged() -> None:
    """The original's default file loads, and no key of it is named as unused."""
    loaded = load(DATA / "original-2018.json", {}, DATA)
    assert loaded.configuration.environment.num_posts == 20_000_000
    assert loaded.configuration.connection.data_source.get_secret_value().startswith("mmuser:mostest@tcp(")
    assert loaded.warnings == ()


def test_keys_of_other_years_are_named_once() -> None:
    """Files with keys of the original's other years load, and one warning names those keys."""
    unused = [text for text in load(DATA / "original-2020.json", {}, DATA).warnings if "other years" in text]
    assert len(unused) == 1
    assert "UserEntitiesConfiguration.NumPostReactionsPerUser" in unused[0]
    assert "ConnectionConfiguration.DBEndpoint" in unused[0]


@pytest.mark.parametrize("given", [{}, {"DataSource": ""}])
def test_endpoint_stands_in_for_an_empty_data_source(tmp_path: Path, given: dict[str, str]) -> None:
    """`DBEndpoint` of other years is used where there is no data source."""
    write(tmp_path, {"ConnectionConfiguration": {"DBEndpoint": "user:word@tcp(db)/mattermost", **given}})
    loaded = load(None, {}, tmp_path)
    assert loaded.configuration.connection.data_source.get_secret_value() == "user:word@tcp(db)/mattermost"
    assert not any("other years" in text for text in loaded.warnings)


def test_data_source_comes_before_the_endpoint(tmp_path: Path) -> None:
    """`DBEndpoint` beside a data source is not used, and said so."""
    write(tmp_path, {"ConnectionConfiguration": {"DBEndpoint": "old", "DataSource": "new"}})
    loaded = load(None, {}, tmp_path)
    assert loaded.configuration.connection.data_source.get_secret_value() == "new"
    assert any("DBEndpoint" in text for text in loaded.warnings)


def test_empty_driver_means_mysql(tmp_path: Path) -> None:
    """An empty driver name is the original's way to say mysql."""
    write(tmp_path, {"ConnectionConfiguration": {"DriverName": ""}})
    assert load(None, {}, tmp_path).configuration.connection.driver_name == "mysql"


def test_names_ignore_case_and_texts_count_as_values(tmp_path: Path) -> None:
    """Sections and keys ignore case, and numbers and truths may stand as text."""
    write(
        tmp_path,
        {
            "loadtestenviromentconfig": {"NUMUSERS": "1000", "replychance": "0.5"},
            "userEntitiesConfiguration": {"doStatusPolling": "false", "TestLengthMinutes": 0.5},
            "connectionconfiguration": {"AdminPassword": 12345, "MaxIdleConns": 7.0},
        },
    )
    configuration = load(None, {}, tmp_path).configuration
    assert (configuration.environment.num_users, configuration.environment.reply_chance) == (1000, 0.5)
    assert not configuration.entities.do_status_polling
    assert configuration.entities.test_length_minutes == 0.5
    assert configuration.connection.admin_password.get_secret_value() == "12345"
    assert configuration.connection.max_idle_conns == 7


def test_missing_and_null_take_the_default(tmp_path: Path) -> None:
    """A missing key or section, and one that is null, takes its default."""
    write(tmp_path, {"LoadtestEnviromentConfig": {"NumUsers": None}, "LogSettings": None})
    assert load(None, {}, tmp_path).configuration == Configuration()


def test_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    """Files as some editors save them, led by a byte order mark, load."""
    (tmp_path / "loadtestconfig.json").write_bytes(b'\xef\xbb\xbf{"LoadtestEnviromentConfig": {"NumUsers": 3}}')
    assert load(None, {}, tmp_path).configuration.environment.num_users == 3


def test_environment_stands_above_the_file(tmp_path: Path) -> None:
    """A variable, in whatever case, overrides what the file says; others are left alone."""
    write(tmp_path, {"LoadtestEnviromentConfig": {"NumUsers": 3, "NumTeams": 2}})
    environ = {
        "MMLOADTEST_LOADTESTENVIROMENTCONFIG_NUMUSERS": "5",
        "mmloadtest_ConnectionConfiguration_ServerURL": "https://chat.example.com/",
        "MMLOADTEST_CONNECTIONCONFIGURATION_DATASOURCE": "",
        "PATH": "/bin",
    }
    configuration = load(None, environ, tmp_path).configuration
    assert (configuration.environment.num_users, configuration.environment.num_teams) == (5, 2)
    assert configuration.connection.server_url == "https://chat.example.com/"
    assert configuration.connection.websocket_url == "wss://chat.example.com/"


def test_all_problems_come_in_one_message(tmp_path: Path) -> None:
    """Unknown and repeated keys, wrong types, bad ranges and variables are named together, each with its place."""
    content = """{
  "connectionconfiguration": {"ServerURL": "localhost:8065", "MaxIdleConns": "many", "maxidleconns": 2},
  "LoadtestEnvironmentConfig": {},
  "LoadtestEnviromentConfig": {
    "NumUser": 3, "ServerURL": "x",
    "ReplyChance": 1.5, "NumTeams": true
  },
  "UserEntitiesConfiguration": {"AgentIndex": 3, "AgentCount": "2"},
  "LogSettings": [],
  "NumEmoji": 3
}"""
    environ = {
        "MMLOADTEST_CONNECTIONCONFIGURATION_SERVRURL": "x",
        "MMLOADTEST_LOGSETTINGS_CONSOLELEVEL": "loud",
    }
    here = "loadtestconfig.json, line"
    assert load_problem(tmp_path, content, environ).splitlines() == [
        "the configuration has 13 problems:",
        f"  {here} 2, column 31: ConnectionConfiguration.ServerURL must be a URL that begins with http:// or https:// "
        'and a host, any port of it 1 to 65535, not "localhost:8065"',
        f"  {here} 2, column 62: ConnectionConfiguration.MaxIdleConns must be a whole number, 0 to 100000000, "
        'not "many"',
        f"  {here} 2, column 86: ConnectionConfiguration.MaxIdleConns is given twice, "
        f"before that in {here} 2, column 62",
        f"  {here} 3, column 3: LoadtestEnvironmentConfig is no section; the nearest is LoadtestEnviromentConfig",
        f"  {here} 5, column 5: LoadtestEnviromentConfig.NumUser is no key; the nearest is NumUsers",
        f"  {here} 5, column 19: LoadtestEnviromentConfig.ServerURL is no key; "
        "the key ServerURL belongs into section ConnectionConfiguration",
        f"  {here} 6, column 5: LoadtestEnviromentConfig.ReplyChance must be a number, 0 to 1, not 1.5",
        f"  {here} 6, column 25: LoadtestEnviromentConfig.NumTeams must be a whole number, 1 to 100000, not true",
        f"  {here} 8, column 33: UserEntitiesConfiguration.AgentIndex must be below AgentCount (2), "
        "as agents are counted from 0, not 3",
        f"  {here} 9, column 3: LogSettings is a section: it must be an object with keys in it",
        f"  {here} 10, column 3: NumEmoji is no section; the key NumEmoji belongs into section "
        "LoadtestEnviromentConfig",
        "  environment variable MMLOADTEST_CONNECTIONCONFIGURATION_SERVRURL: no such variable is known; "
        "the nearest is MMLOADTEST_CONNECTIONCONFIGURATION_SERVERURL",
        "  environment variable MMLOADTEST_LOGSETTINGS_CONSOLELEVEL: LogSettings.ConsoleLevel must be one of "
        'DEBUG, INFO, WARN, ERROR, not "loud"',
    ]


def test_single_problem_needs_no_heading(tmp_path: Path) -> None:
    """One problem is one line, with the exit code of wrong configuration."""
    write(tmp_path, {"LoadtestEnviromentConfig": {"NumUsers": 0}})
    with pytest.raises(ConfigurationError) as refused:
        load(None, {}, tmp_path)
    assert str(refused.value) == (
        "loadtestconfig.json, line 1, column 31: LoadtestEnviromentConfig.NumUsers must be a whole number, "
        "1 to 10000000, not 0"
    )
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "content",
    [
        {"ConnectionConfiguration": {"AdminPassword": ["hush"], "MaxIdleConns": -1}},
        {"ConnectionConfiguration": {"SSHPassword": {"x": "hush"}, "DataSource": ["hush"]}},
        {"ConnectionConfiguration": {"ServerURL": "ftp://admin:hush@localhost"}},
        {"ConnectionConfiguration": {"ServerURL": "http://admin:hush@localhost"}},
        {"ConnectionConfiguration": {"WebsocketURL": "ws://admin:hush@localhost:port"}},
        {"ConnectionConfiguration": {"AdminPassword": "hush", "adminpassword": "hush"}},
        {"ConnectionConfiguration": {"AdminPasword": "hush"}},
        {"ConnectionConfiguration": "hush"},
        '{"ConnectionConfiguration": {"AdminPassword": "hush"',
    ],
)
def test_no_message_holds_a_secret(tmp_path: Path, content: Any) -> None:
    """Whatever is wrong with a secret or around it, the message does not show it, nor does a chained error."""
    write(tmp_path, content)
    with pytest.raises(ConfigurationError) as refused:
        load(None, {}, tmp_path)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("url", ["http://", "http://:80", "http://h:0", "http://h:99999", "http://h:x", "http://[::1"])
def test_a_url_needs_a_host_and_a_port_that_can_be(tmp_path: Path, url: str) -> None:
    """What no connection could be made to is found in the configuration, not by the first request."""
    message = load_problem(tmp_path, {"ConnectionConfiguration": {"ServerURL": url}})
    assert "ConnectionConfiguration.ServerURL must be a URL that begins with" in message


def test_a_folder_that_cannot_be_searched(tmp_path: Path) -> None:
    """A working folder with a name too long to look into is one message, as is one without permission."""
    with pytest.raises(ConfigurationError, match=r"cannot be searched .*: File name too long"):
        load(None, {}, tmp_path / ("x" * 300))


def test_requests_are_timed_whatever_the_key_says(tmp_path: Path) -> None:
    """`EnableRequestTiming` has no effect: who sets it to false is told."""
    write(tmp_path, {"UserEntitiesConfiguration": {"EnableRequestTiming": False}})
    (warning,) = load(None, {}, tmp_path).warnings
    assert "EnableRequestTiming is false, but has no effect" in warning


def test_long_values_are_shortened_and_objects_not_shown(tmp_path: Path) -> None:
    """A message stays readable whatever stands where a value should."""
    message = load_problem(tmp_path, {"LoadtestEnviromentConfig": {"NumUsers": "x" * 500, "NumTeams": {"a": 1}}})
    assert len(message) < 400
    assert "not an object" in message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{\n  "LogSettings": {\n    "EnableFile": true\n    "FileJson": true\n  }\n}', "line 4, column 5: not JSON"),
        ("", "loadtestconfig.json: the configuration file is empty"),
        ('{"LogSettings": {"EnableFile": tru}}', "line 1, column 32: not JSON"),
        ("[]", "must be a JSON object with the sections ConnectionConfiguration, "),
        ('{"LoadtestEnviromentConfig": {"ReplyChance": NaN}}', "NaN is not a number that JSON knows"),
        ('{"LoadtestEnviromentConfig": {"NumUsers": ' + "9" * 5000 + "}}", "not usable as JSON"),
        ("[" * 100_000, "not usable as JSON"),
    ],
)
def test_broken_json_is_named_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    """A file that is not JSON, or holds what no number is, is refused with its name and, if known, line and column."""
    message = load_problem(tmp_path, text)
    assert message.startswith("loadtestconfig.json")
    assert complaint in message


def test_text_must_be_utf8(tmp_path: Path) -> None:
    """A file in another encoding is refused with the place of the first byte that does not fit."""
    (tmp_path / "loadtestconfig.json").write_bytes(b'{"A": "\xff\xfe"}')
    with pytest.raises(ConfigurationError, match="not UTF-8 text at byte 7"):
        load(None, {}, tmp_path)


def test_sections_given_twice_are_named(tmp_path: Path) -> None:
    """A section that stands twice is one problem, with both places."""
    message = load_problem(tmp_path, '{"LogSettings": {"FileJson": true}, "logsettings": {}}')
    assert message.endswith("is given twice, before that in loadtestconfig.json, line 1, column 2")


def test_volumes_that_do_not_add_up_are_warned_of(tmp_path: Path) -> None:
    """Percentages of the volume classes that do not add up to 1 load, as in the original, with a warning."""
    write(tmp_path, {"LoadtestEnviromentConfig": {"PercentHighVolumeTeams": 0.7}})
    (warning,) = load(None, {}, tmp_path).warnings
    assert warning.startswith("PercentHighVolumeTeams, PercentMidVolumeTeams and PercentLowVolumeTeams add up to 1.5")


def test_unverified_certificates_are_warned_of(tmp_path: Path) -> None:
    """Certificate verification that is off is a warning every time the configuration is loaded."""
    write(tmp_path, {"ConnectionConfiguration": {"SkipCertificateVerification": True}})
    assert any("Certificates are not verified" in text for text in load(None, {}, tmp_path).warnings)
