"""The import file: its form, its order, and that it is written whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.errors import OutputError
from mattermost_load_test.loadtest.population.bulkload import MAX_LINE_BYTES, bulk_lines, write_bulkload
from mattermost_load_test.loadtest.population.population import Population

SAMPLE = Path(__file__).parents[2] / "data" / "exchanges" / "bulkload-sample.jsonl"


def population(**keys: Any) -> Population:
    """Return a small population with everything in it, some keys changed."""
    small = {"num_users": 30, "num_teams": 4, "num_emoji": 2, "num_direct_message_channels": 9, "num_team_schemes": 2}
    return Population(EnvironmentConfiguration(**{**small, "percent_custom_scheme_teams": 0.5, "seed": 3, **keys}))


def crowded(**keys: Any) -> Population:
    """Return a population whose users are in every channel of every team."""
    everywhere = {
        f"percent_users_{volume}_volume_{place}": 1
        for volume in ("high", "mid", "low")
        for place in ("teams", "channel")
    }
    return population(**{"num_teams": 3, "num_users": 4, **everywhere, **keys})


def entries(lines: Iterable[bytes]) -> list[tuple[str, dict[str, Any]]]:
    """Return type and entry of each line."""
    parsed = map(json.loads, lines)
    return [(line["type"], line.get(line["type"], {})) for line in parsed]


def shape(kind: str, line: dict[str, Any]) -> list[str]:
    """Return the keys of a line and its entry, in order, those left out that not every entry has."""
    entry = line[kind] if isinstance(line[kind], dict) else {}
    return [*line, *(key for key in entry if key != "scheme" and not key.startswith("default_"))]


def test_lines_have_the_form_of_the_sample() -> None:
    """Every type of line has the keys of the lines that real servers were seen to import, in the same order."""
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    ours = [json.loads(line) for line in bulk_lines(population(), emoji=True)]
    forms = {line["type"]: shape(line["type"], line) for line in sample if line["type"] != "version"}
    assert {line["type"] for line in ours} == {*forms, "version"}
    with_teams = [line for line in ours if line["type"] != "user" or "teams" in line["user"]]
    assert all(shape(line["type"], line) == forms[line["type"]] for line in with_teams[1:])
    assert [line for line in ours if line["type"] == "version"] == [sample[0]]


def test_schemes_are_those_of_the_sample() -> None:
    """The schemes have the roles and permissions that real servers were seen to import."""
    sample = [json.loads(line)["scheme"] for line in SAMPLE.read_text().splitlines() if '"type":"scheme"' in line]
    ours = [entry for kind, entry in entries(bulk_lines(population(), emoji=True)) if kind == "scheme"]
    assert [scheme["name"] for scheme in ours] == [
        "loadtestteamscheme0",
        "loadtestteamscheme1",
        "loadtestchannelscheme0",
    ]
    assert [ours[0], ours[2]] == sample


def test_what_is_referred_to_stands_before() -> None:
    """Schemes come before teams and channels, these before users, and users before their direct channels."""
    kinds = [kind for kind, _ in groupby(kind for kind, _ in entries(bulk_lines(population(), emoji=True)))]
    assert kinds == ["version", "scheme", "team", "channel", "user", "emoji", "direct_channel"]


def test_a_user_has_one_line_with_all_it_is_in() -> None:
    """Each user has one line, as each costs the server a password hash: teams, channels and the password on it."""
    some = population()
    users = [entry for kind, entry in entries(bulk_lines(some, emoji=False)) if kind == "user"]
    assert [user["username"] for user in users] == [f"user{number}" for number in range(30)]
    names = [channel.name for channel in some.channels()]
    for number, user in enumerate(users):
        assert user["email"] == f"success+user{number}@simulator.amazonses.com"
        assert user["password"] == "Loadtestpassword1"
        assert {
            team["name"]: [channel["name"] for channel in team.get("channels", [])] for team in user.get("teams", [])
        } == {
            f"loadtestteam{team}": [names[index] for index in some.channels_in(number, team)]
            for team in some.teams_of(number)
        }


def test_users_without_a_team_have_no_teams() -> None:
    """A user who is in no team has a line all the same, without an empty list, which no server was seen to take."""
    none = population(
        percent_users_high_volume_teams=0, percent_users_mid_volume_teams=0, percent_users_low_volume_teams=0
    )
    users = [entry for kind, entry in entries(bulk_lines(none, emoji=False)) if kind == "user"]
    assert len(users) == 30
    assert all(list(user) == ["username", "email", "password", "roles"] for user in users)


def test_emoji_and_schemes_can_be_left_out() -> None:
    """Without emoji or schemes there is neither a line of theirs nor a reference to one."""
    lines = list(bulk_lines(population(), emoji=False, schemes=False))
    assert not {"emoji", "scheme"} & {kind for kind, _ in entries(lines)}
    assert not any(b'"scheme"' in line for line in lines)
    assert any(b'"scheme":"loadtestteamscheme' in line for line in bulk_lines(population(), emoji=False))


@pytest.mark.parametrize(("teams", "channels", "most"), [(3, 2000, 7), (2, 1100, 3), (40, 100, 5)])
def test_lines_too_long_for_old_servers_are_split_behind_barriers(teams: int, channels: int, most: int) -> None:
    """No line is longer than 64 KiB; between two lines of a user stands one of another type; nothing is lost."""
    some = crowded(num_teams=teams, num_channels_per_team=channels, num_private_channels_per_team=0)
    lines = list(bulk_lines(some, emoji=False))
    assert max(map(len, lines)) <= MAX_LINE_BYTES
    runs = [
        [entry["username"] for _, entry in run]
        for kind, run in groupby(entries(lines), key=lambda line: line[0])
        if kind == "user"
    ]
    assert 1 < len(runs) <= most
    assert all(len(set(run)) == len(run) for run in runs)
    last = [entry for kind, entry in entries(lines) if kind == "user" and entry["username"] == "user3"]
    assert all(entry["password"] for entry in last)
    held = [channel["name"] for entry in last for team in entry["teams"] for channel in team.get("channels", [])]
    held_teams = [team["name"] for entry in last for team in entry["teams"] for _ in team.get("channels", [])]
    assert len(set(zip(held_teams, held, strict=True))) == len(held) == teams * channels


def test_file_is_written_with_progress(tmp_path: Path) -> None:
    """The file holds the lines; progress goes up to its end, and nothing else is left in the folder."""
    seen: list[tuple[int, int]] = []
    some = population(num_users=1500)
    path = tmp_path / "loadtestbulkload.json"
    size = write_bulkload(path, some, lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == b"".join(bulk_lines(some, emoji=True))
    assert size == path.stat().st_size
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]
    assert len(seen) > 3
    assert list(tmp_path.iterdir()) == [path]


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    """Writing again replaces the file."""
    path = tmp_path / "loadtestbulkload.json"
    path.write_text("old")
    write_bulkload(path, population(), lambda done, total: None)
    assert path.read_bytes().startswith(b'{"type":"version"')


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Where the file cannot be made, the message names it and says what to do."""
    with pytest.raises(OutputError, match=r"absent/x\.json cannot be written: No such file.*change to another folder"):
        write_bulkload(tmp_path / "absent" / "x.json", population(), lambda done, total: None)


FULL_DISK = """
import resource, sys
from pathlib import Path
from mattermost_load_test.config import EnvironmentConfiguration
from mattermost_load_test.errors import OutputError
from mattermost_load_test.loadtest.population.bulkload import write_bulkload
from mattermost_load_test.loadtest.population.population import Population

resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_bulkload(Path(sys.argv[1]), Population(EnvironmentConfiguration()), lambda done, total: None)
except OutputError as error:
    print(error)
"""


def test_no_half_file_is_left_where_the_disk_does_not_suffice(tmp_path: Path) -> None:
    """A file that cannot be written to its end leaves the earlier one and nothing else, and is said so."""
    path = tmp_path / "loadtestbulkload.json"
    path.write_text("old")
    result = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    assert "loadtestbulkload.json cannot be written: File too large. Free space on the disk" in result.stdout
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    """Whatever ends the writing, such as Ctrl-C, leaves no half file."""

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bulkload(tmp_path / "x.json", population(num_users=1000), interrupt)
    assert list(tmp_path.iterdir()) == []
