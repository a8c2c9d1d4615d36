"""The embedded Mattermost of a local cluster: one process, a port for each app instance."""

from __future__ import annotations

from pathlib import Path

from mattermost_load_test.errors import OperationError
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.health import wait_until_up
from mattermost_load_test.ltops.providers.local.agents import LOADTEST
from mattermost_load_test.ltops.providers.local.layout import HOST, LocalDetails, folder, made, need_free
from mattermost_load_test.ltops.steps import Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.supervision import MARK, Program, Supervisor

EMBEDDED = "mattermost"
"""The program that stands behind all app instances."""

START_S = 60.0
LOG_FILE = "mattermost.log"


def instances(details: LocalDetails, count: int) -> list[Instance]:
    """Return the app instances, each with its port."""
    ports = [details.port(f"app-{index}") for index in range(count)]
    return [
        Instance(role="app", index=index, address=f"{HOST}:{port}", url=f"http://{HOST}:{port}")
        for index, port in enumerate(ports)
    ]


def embedded_program(cluster: Cluster, apps: list[Instance]) -> Program:
    """Return the program of the embedded server."""
    directory = folder(cluster.directory, "app-0")
    ports = [argument for app in apps for argument in ("--port", app.address.rpartition(":")[2])]
    command = [*LOADTEST, "server", "--host", HOST, *ports, "--empty"]
    return Program(EMBEDDED, command, directory, directory / LOG_FILE, {MARK: str(cluster.directory)})


def embedded_step(cluster: Cluster, supervisor: Supervisor, apps: list[Instance]) -> Step:
    """Return the step that starts the embedded server and waits until it answers."""
    program = embedded_program(cluster, apps)

    def start(tell: Tell) -> None:
        supervisor.drop(EMBEDDED)
        for app in apps:
            need_free(int(app.address.rpartition(":")[2]), app.name)
            _share_log(made(folder(cluster.directory, app.name)), app)
        supervisor.replace(program)
        tell("waiting for it")
        wait_until_up(apps[0].url, START_S, lambda: ended(supervisor, program))

    def is_pending() -> bool:
        return not (supervisor.runs() and supervisor.is_current(program))

    names = ", ".join(app.name for app in apps)
    return Step(names, "start the embedded Mattermost", start, is_pending)


def _share_log(directory: Path, app: Instance) -> None:
    """Let an instance other than the first have the one process's log, too."""
    link = directory / LOG_FILE
    if app.index and not link.is_symlink():
        link.symlink_to(f"../app-0/{LOG_FILE}")


def ended(supervisor: Supervisor, program: Program) -> str | None:
    """Return why a program does not run, None while it does."""
    try:
        state = supervisor.states().get(program.name)
    except OperationError as error:
        return str(error)
    if state is not None and state.running:
        return None
    code = "" if state is None or state.exit_code < 0 else f" with exit code {state.exit_code}"
    return f"{program.command[0]} ended{code}; {last_words(program)}"


def last_words(program: Program) -> str:
    """Return the last line of a program's log, and where that is."""
    try:
        lines = program.log.read_text(errors="replace").splitlines()[-1:]
    except OSError:
        lines = []
    said = f"it said: {lines[0].strip()[:300]}" if lines else "it said nothing"
    return f"{said} ({program.log})"
