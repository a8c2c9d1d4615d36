"""`make demo`: the embedded Mattermost as a process of its own, one minute of load on it, and the report.

It calls the same commands as anybody would, shows them, and ends what it started whatever happens. Its configuration is
the `loadtestconfig.json` of the current folder, with a few keys set by environment.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import IO

LOADTEST = (sys.executable, "-m", "mattermost_load_test.loadtest.cli")
LOG_FILE = "loadtest-demo.log"
SETTINGS = {
    "LOADTESTENVIROMENTCONFIG_NUMUSERS": "200",
    "LOADTESTENVIROMENTCONFIG_NUMPOSTS": "2000",
    "USERENTITIESCONFIGURATION_NUMACTIVEENTITIES": "120",
    "USERENTITIESCONFIGURATION_ACTIONRATEMILLISECONDS": "4000",
    "USERENTITIESCONFIGURATION_TESTLENGTHMINUTES": "1",
    "LOGSETTINGS_CONSOLEJSON": "false",
    "LOGSETTINGS_FILELOCATION": LOG_FILE,
}
SERVER_START_S = 60.0  # within which the server must be up and filled; it takes about three seconds
SERVER_END_S = 5.0
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the demonstration and return the exit code of the load test, or of what failed before it."""
    environment = {f"MMLOADTEST_{key}": value for key, value in SETTINGS.items()} | os.environ
    for number in ENDING_SIGNALS:
        signal.signal(number, _leave)
    try:
        with _server(environment) as url:
            environment["MMLOADTEST_CONNECTIONCONFIGURATION_SERVERURL"] = url
            environment["MMLOADTEST_CONNECTIONCONFIGURATION_WEBSOCKETURL"] = url.replace("http", "ws", 1)
            code = _shown("What a load test would find there, and change", environment, "check")
            code = code or _shown(
                "A history for its channels, most of it read by their members", environment, "loadposts"
            )
            return code or _load(environment)
    except _ServerFailedError as failure:
        print(f"demo: the embedded server did not start: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


class _ServerFailedError(Exception):
    """The embedded server ended, or did not come up in time."""


def _leave(number: int, frame: FrameType | None) -> None:
    """End by a signal, tidying up on the way."""
    raise SystemExit(128 + number)


def _title(text: str, *arguments: str) -> None:
    """Show what comes now, and the command that does it."""
    command = f"  $ loadtest {' '.join(arguments)}"
    print(f"\n── {text} {'─' * max(2, 96 - len(text))}\n{command}", flush=True)


@contextmanager
def _server(environment: Mapping[str, str]) -> Iterator[str]:
    """Run an embedded server with the configuration's population and give its URL; end it afterwards.

    It has a session of its own: Ctrl-C is for the load test, which still needs its server to end well.
    """
    arguments = ("server", "--port", "0")
    _title("A small Mattermost in one process, filled with users, teams and channels", *arguments)
    process = subprocess.Popen(
        (*LOADTEST, *arguments), stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        assert process.stdout is not None  # it was asked for
        yield _url(process.stdout)
    finally:
        process.terminate()
        try:
            process.wait(SERVER_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _url(output: IO[str]) -> str:
    """Pass on what the server says until it has said where it listens, and return that."""
    found: list[str] = []
    ready = threading.Event()

    def read() -> None:
        for line in output:
            print(line, end="", flush=True)
            if match := re.search(r"listens on (\S+)", line):
                found.append(match[1])
            if line.startswith("Ctrl-C"):
                break
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    if not ready.wait(SERVER_START_S):
        raise _ServerFailedError(f"it was not ready within {SERVER_START_S:g} s")
    if not found:
        raise _ServerFailedError("its message stands above")
    return found[0]


def _shown(title: str, environment: Mapping[str, str], *arguments: str) -> int:
    """Run a command under its title and return its exit code."""
    _title(title, *arguments)
    return subprocess.run((*LOADTEST, *arguments), env=environment, check=False).returncode


def _load(environment: Mapping[str, str]) -> int:
    """Run the load test; Ctrl-C goes to it, and this process waits for its report."""
    _title("One minute of load: every user acts about every four seconds", "all")
    on_terminal = sys.stdout.isatty()
    with _interrupts_passed_by():
        process = subprocess.Popen(
            (*LOADTEST, "all"), env=environment, stdout=None if on_terminal else subprocess.PIPE, text=True
        )
        try:
            if process.stdout is not None:
                _tell(process.stdout, lambda line: print(line, flush=True))
            code = process.wait()
        finally:
            process.terminate()  # where this process is ended itself: the load test then ends in order
            process.wait()
    if code == 0:
        print(f"\nThe log is {LOG_FILE}, the report results.txt. Look again, from every side:")
        print(f"  $ ltparse results --file {LOG_FILE} --output report.html")
        print(f"  $ ltparse results --file {LOG_FILE} --verbose --display markdown")
    return code


def _tell(log: IO[str], show: Callable[[str], None]) -> None:
    """Make a few words of the structured log, which is for programs."""
    for line in log:
        entry = json.loads(line)
        if "tag" not in entry:
            words = (f"{name}={value}" for name, value in entry.items() if name not in ("level", "ts", "caller", "msg"))
            show("  ".join((entry["msg"], *words)))


@contextmanager
def _interrupts_passed_by() -> Iterator[None]:
    """Leave Ctrl-C to the command that runs in the foreground."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
