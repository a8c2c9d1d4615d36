"""Bulk load: which way it goes, what it is said to cost, how far it is said to be, and how large files are split."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.loadtest.bulk.cost import TYPICAL_USER_COST, UserCost, sampled_cost
from mattermost_load_test.loadtest.bulk.method import choose
from mattermost_load_test.loadtest.bulk.pace import ImportPace, duration
from mattermost_load_test.mattermost.archive import split_archive, write_archive
from mattermost_load_test.mattermost.importing import ImportProgress
from mattermost_load_test.mattermost.models import ServerVersion
from mattermost_load_test.mattermost.opening import open_transport
from mattermost_load_test.mattermost.transport import TransportOptions

MIB = 1 << 20


@pytest.mark.parametrize(
    ("wanted", "version", "method"),
    [
        ("auto", (5, 37, 0), "rest"),
        ("auto", (5, 31, 0), "rest"),
        ("auto", (5, 30, 1), "cli"),
        ("auto", (4, 10, 0), "cli"),
        ("cli", (11, 6, 0), "cli"),
        ("rest", (5, 4, 0), "rest"),
    ],
)
def test_the_way_is_the_keys_or_the_servers(wanted: str, version: tuple[int, int, int], method: str) -> None:
    """A key decides; without one, whether the server has the import job, which came with 5.31."""
    choice = choose(wanted, ServerVersion(*version))
    assert choice.method == method
    assert choice.reason


def test_the_database_is_never_chosen_silently() -> None:
    """No version of a server leads there by itself."""
    versions = [ServerVersion(major, minor, 0) for major in range(3, 13) for minor in range(40)]
    assert {choose("auto", version).method for version in versions} == {"rest", "cli"}


async def test_what_a_user_costs_is_measured_by_logins(embedded: Any, add_person: Any) -> None:
    """A few logins of the admin are timed, and their sessions ended."""
    await add_person(embedded, "boss")
    sessions = len(embedded.state.sessions.by_token)
    await embedded.faults.turn(latency=None)
    connection = ConnectionConfiguration(admin_email="boss@example.com", admin_password=SecretStr("Loadtestpassword1"))
    async with open_transport(TransportOptions(embedded.url)) as transport:
        cost = await sampled_cost(transport, connection, embedded.url)
        assert cost.measured
        assert 0 <= cost.least_s <= cost.most_s
        assert len(embedded.state.sessions.by_token) == sessions
        await embedded.faults.turn(too_many_rate=1.0, retry_after_s=1)
        assert await sampled_cost(transport, connection, embedded.url) is TYPICAL_USER_COST


def test_the_cost_says_what_it_is_based_on() -> None:
    """A measured figure is told from one that other servers had."""
    assert UserCost(0.05, 0.06, measured=True).of(1000) == "about 50–60 s of its CPU, by a sample of its logins"
    assert TYPICAL_USER_COST.of(100) == "about 5–9 s of its CPU, as other servers were seen to take"
    assert UserCost(0.05, 0.05, measured=True).of(10) == "about 0 s of its CPU, by a sample of its logins"


def test_the_time_left_is_told_by_the_pace_so_far(clock: Any) -> None:
    """It counts from the first sign of importing, not from the wait before."""
    pace = ImportPace(clock.now_s)
    assert pace.words(ImportProgress("packing", 1000)) == "packing, 1,000"
    assert pace.words(ImportProgress("waiting")) == "waiting, the server has not begun yet"
    assert pace.words(ImportProgress("importing", 0, 400)) == "importing, 0 of 400"
    clock._now_s += 10
    assert pace.words(ImportProgress("importing", 100, 400)) == "importing, 100 of 400, about 30 s left"
    assert pace.words(ImportProgress("importing", 400, 400)) == "importing, 400 of 400"
    assert pace.words(ImportProgress("importing", 0, 50, note="part 2")) == "importing, 0 of 50 (part 2)"


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (720, "12 min"), (12_000, "3 h 20 min")])
def test_lengths_of_time_are_told_as_people_do(seconds: float, words: str) -> None:
    """Seconds, minutes, hours."""
    assert duration(seconds) == words


def test_an_archive_is_split_below_the_servers_limit(tmp_path: Path) -> None:
    """Every part is small enough and begins with the version, every line is in one of them, in its order."""
    version = b'{"type":"version","version":1}\n'
    lines = [b'{"type":"user","user":{"username":"%b"}}\n' % os.urandom(20_000).hex().encode() for _ in range(120)]
    whole = write_archive(tmp_path / "loadtest.zip", [version, *lines])
    assert whole.size_bytes > 2 * MIB
    found: list[bytes] = []
    for part in split_archive(whole, MIB):
        assert part.size_bytes <= MIB
        with part.opened() as opened:
            first, *rest = opened
        assert first == version
        assert part.lines == len(rest) + 1
        assert part.user_lines == len(rest)
        assert re.fullmatch(r"loadtest-\d+\.zip", part.path.name)
        found += rest
        part.path.unlink()
    assert found == lines
