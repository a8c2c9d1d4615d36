"""Helm, called as a program (https://helm.sh): its answers as JSON, its failures in its own words.

Values go to it by its standard input: none stands in a command line, or in a file.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mattermost_load_test.errors import LoadTestError, OperationError, ServerUnreachableError, UsageError

INSTALLATION = "https://helm.sh/docs/intro/install/"
CALL_S = 60.0
"""How long a call may take that changes nothing."""

GIVING_UP_S = 120.0
"""How long an interrupted Helm may take to put things back."""

WORDS_MAX = 600
_POLL_S = 0.5
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_UNREACHABLE = ("Kubernetes cluster unreachable", "connection refused", "no such host", "i/o timeout")
_NOISE = ("WARNING:", "W0", "I0", "walk.go:", "level=")
_WRONG_VALUES = "values don't meet the specifications of the schema"


class ValuesError(UsageError):
    """The chart does not take a value; the message names it."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its `status` in Helm's words (deployed, pending-install …), its chart, how often it changed."""

    name: str
    status: str
    chart: str
    revision: int


class Helm:
    """Helm for one namespace of one kube context; `told` is told each command."""

    def __init__(self, namespace: str, context: str, told: Callable[[str], None] = lambda words: None) -> None:
        self._options = ["--namespace", namespace, *(["--kube-context", context] if context else [])]
        self._told = told

    def check(self) -> None:
        """Raise `UsageError` where Helm is missing or older than version 3."""
        said = self._run(["version", "--template", "{{.Version}}"], CALL_S)
        if said.returncode:  # version 2 asks its server first
            said = self._run(["version", "--client", "--short"], CALL_S)
        found = _VERSION.search(said.stdout)
        if found is None:
            raise UsageError(f"helm does not say its version: {shortened(said.stderr or said.stdout)}")
        if int(found[1]) < 3:
            raise UsageError(f"helm is version {found[0]}, and 3 or later is needed: {INSTALLATION}")

    def release(self, name: str) -> Release | None:
        """Return the release of that name in the namespace, whatever its status, None if there is none."""
        found = json.loads(self._good(["list", "--all", "--filter", f"^{name}$", "--output", "json"]).stdout)
        for one in found:
            return Release(one["name"], one["status"], one["chart"], int(one["revision"]))
        return None

    def values(self, name: str) -> dict[str, Any]:
        """Return the values that a release was given."""
        found = json.loads(self._good(["get", "values", name, "--output", "json"]).stdout)
        return found if isinstance(found, dict) else {}

    def rendered(self, name: str, chart: Path, values: Mapping[str, Any], kube_version: str) -> str:
        """Return the chart's objects as YAML, worked out here; raises `ValuesError` for a value it does not take."""
        command = ["template", name, str(chart), "--values", "-", "--kube-version", kube_version]
        return self._good(command, values=values).stdout

    def install(
        self,
        name: str,
        chart: Path,
        values: Mapping[str, Any],
        timeout_s: float,
        hopeless: Callable[[], str | None],
    ) -> None:
        """Install a release, or upgrade it, and wait until all of it is ready; else all is put back.

        `hopeless` is asked again and again why it cannot succeed; once it says so, it is ended. Raises `OperationError`
        with that, or with Helm's own words.
        """
        command = ["upgrade", name, str(chart), "--install", "--atomic", "--wait", "--values", "-"]
        self._watched([*command, "--timeout", f"{timeout_s:.0f}s", "--output", "json"], values, timeout_s, hopeless)

    def roll_back(self, name: str) -> None:
        """Put a release back to what it was before an upgrade that did not end."""
        self._good(["rollback", name], CALL_S)

    def uninstall(self, name: str, timeout_s: float) -> None:
        """Remove a release and wait until its objects are gone; raises `OperationError`."""
        command = ["uninstall", name, "--wait", "--ignore-not-found", "--timeout", f"{timeout_s:.0f}s"]
        self._good(command, timeout_s + GIVING_UP_S)

    def _good(
        self, arguments: Sequence[str], timeout_s: float = CALL_S, values: Mapping[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Call Helm; raises the error that its words stand for."""
        ended = self._run(arguments, timeout_s, values)
        if ended.returncode:
            raise failure(ended.stderr)
        return ended

    def _run(
        self, arguments: Sequence[str], timeout_s: float, values: Mapping[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command, given = self._command(arguments), "" if values is None else json.dumps(values)  # JSON is YAML, too
        try:
            return subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            raise OperationError(f"helm {arguments[0]} did not end within {timeout_s:g} s") from None

    def _command(self, arguments: Sequence[str]) -> list[str]:
        program = shutil.which("helm")
        if program is None:
            raise UsageError(f"helm is not on this machine: {INSTALLATION}")
        self._told(" ".join(["helm", *arguments]))
        return [program, *arguments, *self._options]

    def _watched(
        self,
        arguments: Sequence[str],
        values: Mapping[str, Any],
        timeout_s: float,
        hopeless: Callable[[], str | None],
    ) -> None:
        """Call Helm, ending it once there is no hope."""
        with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as words:  # 0600, without a name
            json.dump(values, given)
            given.seek(0)
            process = subprocess.Popen(self._command(arguments), stdin=given, stdout=subprocess.DEVNULL, stderr=words)
            try:
                reason = _until_ended(process, time.monotonic() + timeout_s + GIVING_UP_S, hopeless)
            finally:
                _interrupt(process)
            words.seek(0)
            if reason is not None:
                raise OperationError(reason)
            if process.returncode:
                raise failure(words.read())


def _until_ended(process: subprocess.Popen[bytes], deadline_s: float, hopeless: Callable[[], str | None]) -> str | None:
    """Wait until Helm has ended, or return why it is to be ended."""
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if reason := hopeless():
                return reason
            if time.monotonic() > deadline_s:
                return "helm did not end in time"
        else:
            return None


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """End Helm, which puts back what it did; kill it when that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GIVING_UP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def failure(said: str) -> LoadTestError:
    """Return the error that Helm's words stand for, with what matters of them."""
    words = shortened(said)
    if _WRONG_VALUES in said:
        return ValuesError("; ".join(_wrong_values(said)) or words)
    if "execution error at" in said:
        return ValuesError(words.rpartition("): ")[2])
    if any(sign in said for sign in _UNREACHABLE):
        return ServerUnreachableError(words)
    return OperationError(f"helm: {words}")


def _wrong_values(said: str) -> list[str]:
    """Return the lines that name wrong values: ``- mattermost: Additional property replica is not allowed``."""
    found = re.findall(r"^- (?:at )?(.*)$", said, re.MULTILINE)
    return [re.sub(r"^\(root\): ", "", line).strip() for line in found]


def shortened(said: str) -> str:
    """Return what matters of what Helm said: no prefix, no warnings, at most some hundred characters."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(_NOISE)]
    text = " ".join(line.removeprefix("Error: ") for line in lines) or "it said nothing"
    return text if len(text) <= WORDS_MAX else f"{text[:WORDS_MAX]} …"
