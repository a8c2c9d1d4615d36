"""The command line: its helps, its version, the commands that follow the registry, `genbulkload`."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mattermost_load_test import __version__
from mattermost_load_test.embedded.faults import Fixed, LogNormal, Uniform
from mattermost_load_test.loadtest.cli import COMMANDS, cli
from mattermost_load_test.loadtest.cli.server import DelayType
from mattermost_load_test.loadtest.scenarios import KINDS, SCENARIOS, action_name
from mattermost_load_test.ltops.cli import cli as ltops

AgentHere = Any
"""An `Agent` of the conftest beside."""


def shown(*arguments: str) -> str:
    """Return what a command prints that ends well."""
    result = CliRunner().invoke(cli, arguments, prog_name="loadtest")
    assert result.exit_code == 0, result.output
    return result.output


def test_the_help_lists_every_command() -> None:
    """Scenarios, `server`, `check` and `genbulkload` are all there, each with a line of its own."""
    text = shown("--help")
    for command in (*SCENARIOS, "server", "check", "genbulkload"):
        assert f"\n  {command} " in text


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenarios_help_follows_the_registry(scenario: str) -> None:
    """The help names the scenario's kinds and their actions with their weights."""
    text = " ".join(shown(scenario, "--help").split())
    assert SCENARIOS[scenario].summary in text
    for kind, weight in SCENARIOS[scenario].kinds.items():
        assert f"{weight} % {kind}: " in text
        for action, share in KINDS[kind].actions.items():
            assert f"{action_name(action)} {share}" in text


def test_scenarios_are_listed_with_their_mixes() -> None:
    """`scenarios` names all nine with the shares of their kinds, and every kind with its actions' weights."""
    text = shown("scenarios")
    assert len(SCENARIOS) == 9
    for name, scenario in SCENARIOS.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        for kind, weight in scenario.kinds.items():
            assert f"{kind} {weight} %" in line
    for kind in KINDS.values():
        for action, share in kind.actions.items():
            assert f"{action_name(action)} {share}" in text


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    """Every command has a help, and every option in it says what it does."""
    shown(command, "--help")
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    for parameter in found.params:
        assert getattr(parameter, "help", None), f"{command} {parameter.name}"


def test_the_version_is_the_packages() -> None:
    """`--version` prints name and version."""
    assert shown("--version") == f"loadtest {__version__}\n"


def test_ltops_shows_its_help() -> None:
    """So far `ltops` only has its help and its version."""
    for option, text in (("--help", "Usage: ltops"), ("--version", __version__)):
        result = CliRunner().invoke(ltops, [option], prog_name="ltops")
        assert result.exit_code == 0
        assert text in result.output


@pytest.mark.parametrize(
    ("text", "delay"), [("20", Fixed(20)), ("10-50", Uniform(10, 50)), ("20/400", LogNormal(20, 400))]
)
def test_delays_are_read_in_three_forms(text: str, delay: object) -> None:
    """A number, a range, a median with its 99th percentile."""
    assert DelayType().convert(text, None, None) == delay


async def test_the_population_is_written_as_an_import_file(agent: AgentHere) -> None:
    """`genbulkload` writes loadtestbulkload.json: a version line, then everything with users last but directs."""
    ended = await agent.run("genbulkload")
    assert ended.code == 0, ended.stderr
    assert "Wrote " in ended.stdout
    lines = [json.loads(line) for line in (agent.folder / "loadtestbulkload.json").read_text().splitlines()]
    assert lines[0] == {"type": "version", "version": 1}
    assert sum(line["type"] == "user" for line in lines) == 12


async def test_a_population_that_cannot_be_written(agent: AgentHere) -> None:
    """A folder in the place of the file is one message and 1."""
    (agent.folder / "loadtestbulkload.json").mkdir()
    ended = await agent.run("genbulkload")
    assert ended.code == 1
    assert "loadtestbulkload.json" in ended.error


async def test_keys_that_do_nothing_are_named_once(agent: AgentHere) -> None:
    """A key that the original had in other years is accepted and named."""
    agent.set(UserEntitiesConfiguration_Offset=10, ConnectionConfiguration_ServerURL="http://127.0.0.1:1")
    ended = await agent.run("check")
    assert ended.stdout.count("UserEntitiesConfiguration.Offset") == 1


async def test_verification_switched_off_is_warned_of(agent: AgentHere) -> None:
    """Every run without a check of the certificate says so."""
    agent.set(
        ConnectionConfiguration_SkipCertificateVerification="true",
        ConnectionConfiguration_ServerURL="https://127.0.0.1:1",
    )
    ended = await agent.run("all")
    assert [line for line in ended.lines if line["level"] == "warn" and "ertificate" in line["msg"]]
