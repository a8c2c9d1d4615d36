"""The agents of a local cluster out of a bundle, installed offline into the cluster's folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mattermost_load_test.config import CONFIGURATION_FILE
from mattermost_load_test.errors import OperationError, OutputError
from mattermost_load_test.ltops.artifacts.archives import Bundle, extract
from mattermost_load_test.ltops.digests import digest_of
from mattermost_load_test.ltops.providers.local.layout import folder, made, write_private
from mattermost_load_test.ltops.steps import Step, Tell

INSTALLED_WORD = "installed"
"""What `-t` takes for the agents of this installation."""

INSTALL_S = 600.0
_CARD = ".bundle"


class LocalBundle:
    """A bundle, unpacked and installed below a cluster's folder."""

    def __init__(self, cluster_directory: Path) -> None:
        self._home = folder(cluster_directory, "agents")
        self._unpacked = self._home / "bundle"
        self._environment = self._home / "venv"

    @property
    def configuration(self) -> Path:
        """The configuration that came in it, edited or not."""
        return self._unpacked / CONFIGURATION_FILE

    @property
    def loadtest(self) -> Sequence[str]:
        """The command of its agent."""
        return [str(self._environment / "bin" / "loadtest")]

    def step(self, bundle: Bundle) -> Step:
        """Return the step that installs it; raises `ArtifactError` when it cannot be read."""
        digest = digest_of(bundle.path)
        what = f"install {bundle.path.name}, version {bundle.version}"
        return Step("agents", what, lambda tell: self._install(bundle, digest, tell), lambda: self._card() != digest)

    def _card(self) -> str:
        """Return the checksum of what is installed, empty if nothing is, or not to its end."""
        path = self._home / _CARD
        return path.read_text() if path.is_file() else ""

    def _install(self, bundle: Bundle, digest: str, tell: Tell) -> None:
        """Put it in place of what is there; the card is written last."""
        (self._home / _CARD).unlink(missing_ok=True)
        self._unpack(bundle)
        tell("making its virtual environment")
        self._run_installer(bundle)
        write_private(self._home / _CARD, digest.encode())

    def _unpack(self, bundle: Bundle) -> None:
        unfinished = self._home / "unfinished"
        try:
            for path in (unfinished, self._unpacked):
                shutil.rmtree(path, ignore_errors=True)
            extract(bundle.path, made(unfinished))
            (unfinished / bundle.top).rename(self._unpacked)
        except OSError as error:
            raise OutputError(f"{bundle.path} cannot be unpacked to {self._home}: {error.strerror}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _run_installer(self, bundle: Bundle) -> None:
        """Run the bundle's own installer, which prefers the Python that we run on; raises `OperationError`."""
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        command = ["/bin/sh", str(self._unpacked / "install.sh"), str(self._environment)]
        try:
            ended = subprocess.run(
                command,
                env={**os.environ, "PATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=INSTALL_S,
            )
        except subprocess.TimeoutExpired as error:
            raise OperationError(f"{bundle.path} was not installed within {INSTALL_S:g} s") from error
        if ended.returncode:
            said = (ended.stderr or ended.stdout).strip() or "it says nothing"
            raise OperationError(f"{bundle.path} could not be installed (exit code {ended.returncode}): {said[-1000:]}")
