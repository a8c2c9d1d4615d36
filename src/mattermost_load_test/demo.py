"""`make demo`: a cluster on this machine, from nothing to results and to nothing again, by the commands of `ltops`.

It calls the same commands as anybody would, shows them, and removes the cluster whatever happens. The agents'
configuration is the `loadtestconfig.json` of the current folder, with a few keys set on the command line.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

NAME = "demo"
LOG_FILE = "loadtest-demo.log"
USERS = 200
SETTINGS = {
    "UserEntitiesConfiguration.NumActiveEntities": 120,
    "UserEntitiesConfiguration.ActionRateMilliseconds": 4000,
    "UserEntitiesConfiguration.TestLengthMinutes": 1,
    "LoadtestEnviromentConfig.NumPosts": 2000,
}
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the demonstration and return the exit code of the first command that failed."""
    for number in ENDING_SIGNALS:
        signal.signal(number, _leave)
    home = Path(tempfile.mkdtemp(prefix="lt-demo-"))
    environment = os.environ | {"LTOPS_HOME": str(home)}
    try:
        return _demonstrate(home, environment)
    except KeyboardInterrupt:
        return 130
    finally:
        _remove(home, environment)


def _demonstrate(home: Path, environment: dict[str, str]) -> int:
    """Make a cluster, load it, and keep the run's log."""
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    steps = (
        ("A cluster on this machine: a server and an agent", ["create", "-c", NAME, "--type", "local"]),
        ("A small Mattermost of our own in one process", ["deploy", "-c", NAME, "--users", str(USERS)]),
        ("Users, channels and posts; a minute of load; the report", ["loadtest", "all", "-c", NAME, *settings]),
        ("How the cluster is", ["status", "-c", NAME]),
    )
    for title, arguments in steps:
        if code := _shown(title, arguments, environment):
            return code
    try:
        shutil.copyfile(home / NAME / "results" / "loadtest-out-loadtest-0.txt", LOG_FILE)
    except OSError as error:
        print(f"Error: {LOG_FILE} cannot be written here: {error.strerror}", file=sys.stderr)
        return 1
    print(f"\nThe log is {LOG_FILE}. Look again, from every side:")
    print(f"  $ ltparse results --file {LOG_FILE} --output report.html")
    print(f"  $ ltparse results --file {LOG_FILE} --verbose --display markdown")
    return 0


def _shown(title: str, arguments: list[str], environment: dict[str, str]) -> int:
    """Show a command under its title, run it and return its exit code; Ctrl-C goes to it as well."""
    print(f"\n── {title} {'─' * max(2, 96 - len(title))}\n  $ ltops {' '.join(arguments)}", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "mattermost_load_test.ltops.cli", *arguments], env=environment)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _remove(home: Path, environment: dict[str, str]) -> None:
    """Remove the cluster, and the home that was made for it."""
    if (home / NAME).is_dir():
        _shown("And nothing is left", ["delete", "-c", NAME, "--yes"], environment)
    shutil.rmtree(home, ignore_errors=True)


def _leave(number: int, frame: FrameType | None) -> None:
    """End by a signal, tidying up on the way."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
