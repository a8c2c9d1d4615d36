"""What all commands do with errors: one message, the right exit code, tracebacks for defects only."""

from __future__ import annotations

import errno
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from mattermost_load_test import __version__
from mattermost_load_test.cli_support import CONTEXT_SETTINGS, CommandGroup, version_option
from mattermost_load_test.errors import (
    AgentSaturatedError,
    ConfigurationError,
    GateFailedError,
    InterruptedRunError,
    OutputError,
    ServerUnreachableError,
)


def run(error: BaseException | None, *arguments: str) -> Result:
    """Run a command, two groups deep, that raises `error`."""

    @click.group(cls=CommandGroup, context_settings=CONTEXT_SETTINGS)
    @version_option
    def cli() -> None:
        """Stand for a command."""

    @cli.group(cls=CommandGroup)
    def inner() -> None:
        """Stand for a group in it."""

    @inner.command()
    def act() -> None:
        """Do what the test says."""
        click.echo("begun")
        if error is not None:
            raise error

    return CliRunner().invoke(cli, list(arguments) or ["inner", "act"], prog_name="tool")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutputError("the message"), 1),
        (ConfigurationError("the message"), 2),
        (ServerUnreachableError("the message"), 3),
        (AgentSaturatedError("the message"), 4),
        (GateFailedError("the message"), 99),
        (InterruptedRunError("the message"), 130),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [ServerUnreachableError("the message")])]), 3),
    ],
)
def test_an_error_of_ours_is_a_message_and_its_exit_code(error: Exception, code: int) -> None:
    """Each error is shown once, without a traceback, and ends the command with its own code."""
    result = run(error)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "begun\n", "Error: the message\n")


def test_ctrl_c_ends_with_130() -> None:
    """An interrupted command says so in one word."""
    result = run(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (130, "Error: interrupted\n")


def test_a_full_disk_is_one_message() -> None:
    """Wherever it comes from, a full disk is named with its file."""
    result = run(OSError(errno.ENOSPC, "No space left on device", "/var/x"))
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the disk is full while writing /var/x (No space left on device): "
        "free some space and run the command again\n"
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a defect"),
        PermissionError(errno.EACCES, "Permission denied"),
        ExceptionGroup("tasks", [ConfigurationError("known"), ValueError("a defect")]),
    ],
)
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    """What nobody expected is not turned into a message."""
    assert run(error).exception is error


@pytest.mark.parametrize("arguments", [["inner", "nothing"], ["--what"], ["inner", "act", "surplus"]])
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    """Unknown commands, options and arguments are wrong use."""
    result = run(None, *arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_version_and_help() -> None:
    """Every command tells its version, and helps by -h and --help."""
    assert run(None, "--version").stdout == f"tool {__version__}\n"
    assert run(None, "-h").stdout == run(None, "--help").stdout
    assert run(None).exit_code == 0


def test_help_tells_of_each_command_a_whole_sentence() -> None:
    """However long it is: nothing ends in three dots."""
    sentence = "Say what would happen if this command, which has a long first sentence, were called in earnest."

    @click.group(cls=CommandGroup)
    def cli() -> None:
        """Do things."""

    @cli.command(help=sentence)
    def check() -> None:
        pass

    shown = CliRunner().invoke(cli, ["--help"]).output
    assert sentence in " ".join(shown.split())


@pytest.mark.parametrize("name", ["loadtest", "ltops"])
def test_a_command_costs_the_others_no_start(name: str) -> None:
    """What only some commands need, clients of clouds and databases above all, is not imported to begin with."""
    dear = {"aiohttp", "boto3", "kubernetes", "paramiko", "sqlalchemy"}
    code = f"import sys, mattermost_load_test.{name}.cli; print(*sys.modules)"
    begun = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not dear & set(begun.stdout.split())
