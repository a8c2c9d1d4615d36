"""Each format on each kind of log: it says what the log holds, and fails on none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mattermost_load_test.reporting.formats import FORMATS

from .runs import BASELINE, BEGAN_S, RUN, Load, run, write_run

TWO = {"GET /a": Load(300), "POST /b": Load(100, 80.0, 0.05)}


def arguments(kind: str, folder: Path) -> list[str]:
    """Make the logs of a kind and return how `ltparse results` is called for them."""
    if kind == "the original's":
        return ["-f", str(RUN), "-b", str(BASELINE)]
    log = write_run(folder / "run.log", TWO)
    if kind == "two agents":
        write_run(folder / "second.log", TWO, instance="two", seed=2, began_s=BEGAN_S + 3)
        return ["-f", str(folder)]
    if kind == "interrupted":
        log.write_bytes(log.read_bytes()[:-100])
    if kind == "errors only":
        log = write_run(folder / "errors.log", {"GET /a": Load(50, 1.0, 1.0)})
    if kind == "one sample":
        log = write_run(folder / "one.log", {"GET /a": Load(1)})
    if kind == "other routes":
        before = write_run(folder / "old.log", {"GET /a": Load(300), "GET /gone": Load(50)}, instance="old")
        return ["-f", str(log), "-b", str(before), "--fail-on", "p95 > 10s"]
    if kind == "two baselines":
        days = [write_run(folder / f"{day}.log", TWO, instance=day, seed=ord(day)) for day in "ab"]
        return ["-f", str(log), *(part for day in days for part in ("-b", str(day)))]
    return ["-f", str(log)]


KINDS = (
    "small",
    "two agents",
    "interrupted",
    "errors only",
    "one sample",
    "other routes",
    "two baselines",
    "the original's",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_shows_every_kind_of_log(name: str, kind: str, tmp_path: Path) -> None:
    """Every route of the run is in it, and warnings are on standard error."""
    given = arguments(kind, tmp_path)
    routes = [route["name"] for route in json.loads(run("results", *given, "-d", "json").stdout)["routes"]]
    made = run("results", *given, "-d", name)
    if (name, kind) == ("series", "the original's"):
        assert made.exit_code == 2
        return
    assert made.exit_code == 0, made.stderr
    assert ("is cut off" in made.stderr) is (kind == "interrupted")
    if name == "series":
        assert made.stdout.count("\n") > 1
    else:
        assert all(route in made.stdout for route in routes)
    if kind == "other routes" and name not in ("text", "markdown", "series", "junit"):
        assert "GET /gone" in made.stdout
        assert "vanished" in made.stdout or name == "json"
