"""The app instances of a local cluster: ports of one embedded Mattermost, or real ones, each unpacked for itself."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mattermost_load_test.errors import ArtifactError, OutputError
from mattermost_load_test.ltops.artifacts.archives import SERVER_PROGRAMS, MattermostArchive, extract
from mattermost_load_test.ltops.cluster import Instance
from mattermost_load_test.ltops.health import wait_until_up
from mattermost_load_test.ltops.providers.local.agents import LOADTEST
from mattermost_load_test.ltops.providers.local.layout import HOST, folder, made, need_free, write_private
from mattermost_load_test.ltops.providers.local.programs import ended
from mattermost_load_test.ltops.roles.mattermost import LICENSE_VARIABLE, AppSettings
from mattermost_load_test.ltops.steps import Step, Tell
from mattermost_load_test.ltops.store import Cluster
from mattermost_load_test.ltops.supervision import MARK, Program, Supervisor

EMBEDDED = "mattermost"
"""The program that stands behind all app instances of the embedded server."""

LOG_FILE = "mattermost.log"
EMBEDDED_START_S = 60.0
REAL_START_S = 180.0
"""A real server makes its tables at its first start."""

_UNPACKED = "mattermost"
_CARD = ".archive"


def app_instance(index: int, port: int) -> Instance:
    """Return an app instance."""
    return Instance(role="app", index=index, address=f"{HOST}:{port}", url=f"http://{HOST}:{port}")


def port_of(instance: Instance) -> int:
    """Return the port that an instance listens on."""
    return int(instance.address.rpartition(":")[2])


def embedded_program(cluster: Cluster, apps: Sequence[Instance]) -> Program:
    """Return the program of the embedded server."""
    directory = folder(cluster.directory, "app-0")
    ports = [argument for app in apps for argument in ("--port", str(port_of(app)))]
    command = [*LOADTEST, "server", "--host", HOST, *ports, "--empty"]
    return Program(EMBEDDED, command, directory, directory / LOG_FILE, {MARK: str(cluster.directory)})


def embedded_step(cluster: Cluster, supervisor: Supervisor, apps: Sequence[Instance]) -> Step:
    """Return the step that starts the embedded server and waits until it answers."""
    program = embedded_program(cluster, apps)

    def start(tell: Tell) -> None:
        supervisor.drop(EMBEDDED)
        for app in apps:
            need_free(port_of(app), app.name)
            _share_log(made(folder(cluster.directory, app.name)), app)
        supervisor.replace(program)
        tell("waiting for it")
        wait_until_up(apps[0].url, EMBEDDED_START_S, lambda: ended(supervisor, program))

    names = ", ".join(app.name for app in apps)
    return Step(names, "start the embedded Mattermost", start, lambda: not _as_it_should(supervisor, program))


def _share_log(directory: Path, app: Instance) -> None:
    """Let an instance other than the first have the one process's log, too."""
    link = directory / LOG_FILE
    if app.index and not link.is_symlink():
        link.symlink_to(f"../app-0/{LOG_FILE}")


def _as_it_should(supervisor: Supervisor, program: Program) -> bool:
    return supervisor.runs() and supervisor.is_current(program)


@dataclass(frozen=True, slots=True)
class RealApp:
    """A real Mattermost as an app instance, unpacked in its folder; `settings` make its configuration.

    `license` is the licence's text, empty without one.
    """

    cluster_directory: Path
    instance: Instance
    settings: AppSettings
    license: str = ""

    @property
    def home(self) -> Path:
        """The folder that the archive is unpacked to."""
        return folder(self.cluster_directory, self.instance.name) / _UNPACKED

    def unpack_step(self, archive: MattermostArchive, digest: str, supervisor: Supervisor) -> Step:
        """Return the step that unpacks the server; one that runs from there is ended before."""

        def unpack(tell: Tell) -> None:
            supervisor.drop(self.instance.name)
            self._unpack(archive, digest)

        return Step(self.instance.name, f"unpack {archive.path.name}", unpack, lambda: self._unpacked() != digest)

    def start_step(self, supervisor: Supervisor) -> Step:
        """Return the step that writes its configuration, starts it and waits until it answers."""

        def start(tell: Tell) -> None:
            program = self._program()
            supervisor.drop(self.instance.name)
            need_free(port_of(self.instance), self.instance.name)
            for path in (self.settings.file_directory, self.settings.log_directory, self.settings.plugin_directory):
                made(Path(path))
            made(Path(self.settings.client_plugin_directory))
            write_private(self._configuration_path(), self._configuration())
            write_private(self._wanted_path(), self._settings_hash())
            supervisor.replace(program)
            tell("waiting for it")
            wait_until_up(self.instance.url, REAL_START_S, lambda: ended(supervisor, program))

        return Step(self.instance.name, "start Mattermost", start, lambda: not self._is_current(supervisor))

    def _is_current(self, supervisor: Supervisor) -> bool:
        """Say whether it runs with these settings; what was changed over the API since does not matter."""
        wanted = self._wanted_path()
        return (
            wanted.is_file()
            and wanted.read_bytes() == self._settings_hash()
            and _as_it_should(supervisor, self._program())
        )

    def _program(self) -> Program:
        program = next((path for name in SERVER_PROGRAMS if (path := self.home / name).exists()), None)
        command = [str(program or self.home / SERVER_PROGRAMS[0])]
        if program is not None and program.name == "mattermost":
            command.append("server")
        return Program(
            self.instance.name,
            [*command, "--config", str(self._configuration_path())],
            self.home,
            folder(self.cluster_directory, self.instance.name) / LOG_FILE,
            {MARK: str(self.cluster_directory), **({LICENSE_VARIABLE: self.license} if self.license else {})},
            restart=True,
        )

    def _configuration(self) -> bytes:
        """Return config.json: what the server has by now, else what the archive ships, with our settings over it."""
        for name in ("config.json", "default.json"):
            path = self.home / "config" / name
            if path.is_file():
                return _as_json(self.settings.merged_into(_read(path)))
        made(self.home / "config")
        return _as_json(self.settings.merged_into({}))

    def _settings_hash(self) -> bytes:
        return hashlib.sha256(_as_json(self.settings.merged_into({}))).hexdigest().encode()

    def _configuration_path(self) -> Path:
        return self.home / "config" / "config.json"

    def _wanted_path(self) -> Path:
        return self.home / "config" / ".settings"

    def _unpacked(self) -> str:
        card = self.home / _CARD
        return card.read_text() if card.is_file() else ""

    def _unpack(self, archive: MattermostArchive, digest: str) -> None:
        """Unpack beside, then put it in place: what is there is whole or not there."""
        unfinished = self.home.with_name(f".{_UNPACKED}.unfinished")
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            made(unfinished)
            extract(archive.path, unfinished)
            (unfinished / archive.top / _CARD).write_text(digest)
            shutil.rmtree(self.home, ignore_errors=True)
            (unfinished / archive.top).rename(self.home)
        except OSError as error:
            raise OutputError(f"{archive.path} cannot be unpacked to {self.home}: {error.strerror}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise ArtifactError(f"{path} is no JSON: {error}") from error
    return data if isinstance(data, dict) else {}


def _as_json(configuration: dict[str, Any]) -> bytes:
    return (json.dumps(configuration, indent=4) + "\n").encode()
