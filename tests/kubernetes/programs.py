"""The programs of a Kubernetes cluster, built from Go modules and kept between sessions: `make kubernetes-tools`.

No package registry carries a ready API server, so `tools/` is a Go module that brings its source. A build takes some
ten minutes on two cores; what it makes (300 MB) is kept under the user's cache folder, below a key of all it depends
on.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

MODULE = Path(__file__).parent / "tools"
KUBERNETES_VERSION = "1.37.2"
HELM_VERSION = "3.22.0"
PACKAGES = {
    "pause": "./pause",
    "kubernetes": "./kubernetes",
    "helm": "helm.sh/helm/v3/cmd/helm",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "coredns": "./coredns",
}
"""What is built, by the program's name."""

GO_MINIMUM = (1, 26)

KEPT = 2
"""How many builds are kept: the one in use and the one before."""


class ProgramsMissingError(Exception):
    """The programs are not on this machine; the text says how to get them."""


@dataclass(frozen=True)
class Programs:
    """Where the programs of `PACKAGES` are."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def find() -> Programs:
    """Return the programs that were built before; raises `ProgramsMissingError`."""
    _check_go()
    programs = Programs(cache() / _key())
    if not programs.folder.exists():
        raise ProgramsMissingError("Kubernetes is not built yet: make kubernetes-tools (some ten minutes, once)")
    return programs


def build() -> Programs:
    """Build the programs unless they are there."""
    _check_go()
    cache().mkdir(parents=True, exist_ok=True)
    with FileLock(cache() / "lock"):
        if (cache() / _key()).exists():
            return find()
        made = Path(tempfile.mkdtemp(prefix="making-", dir=cache()))
        try:
            for name, package in PACKAGES.items():
                print(f"kubernetes-tools: building {name}", flush=True)
                _compile(package, made / name)
            made.chmod(0o755)
            made.rename(cache() / _key())
        except BaseException:
            shutil.rmtree(made)
            raise
        for old in sorted(cache().glob("[0-9a-f]*/"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            shutil.rmtree(old)
    return find()


def _compile(package: str, program: Path) -> None:
    """Build one program."""
    command = ["go", "build", *_flags(), "-o", str(program), package]
    environment = {"CGO_ENABLED": "0", "GOGC": "400", "GOFLAGS": ""}  # GOGC: half as long, with memory to spare
    subprocess.run(command, cwd=MODULE, env=os.environ | environment, check=True)


def _flags() -> list[str]:
    """Return what programs are built with. Without its version set, clients cannot parse the API server's."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    variables = {
        "k8s.io/component-base/version.gitVersion": f"v{KUBERNETES_VERSION}",
        "k8s.io/component-base/version.gitMajor": major,
        "k8s.io/component-base/version.gitMinor": minor,
        "helm.sh/helm/v3/internal/version.version": f"v{HELM_VERSION}",
    }
    linked = " ".join(("-s -w", *(f"-X {name}={value}" for name, value in variables.items())))
    return ["-trimpath", "-mod=readonly", "-ldflags", linked]


def _check_go() -> None:
    """Raise `ProgramsMissingError` unless there is a Go that is new enough."""
    said = subprocess.check_output(["go", "version"], text=True) if shutil.which("go") else ""
    found = re.search(r"go(\d+)\.(\d+)", said)
    if found is None or tuple(map(int, found.groups())) < GO_MINIMUM:
        wanted = ".".join(map(str, GO_MINIMUM))
        raise ProgramsMissingError(f"Go {wanted} or later is missing (https://go.dev/dl/); then: make kubernetes-tools")


def cache() -> Path:
    """Return the folder that builds are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mattermost-load-test" / "kubernetes-tools"


def _key() -> str:
    """Return what tells builds apart: the sources' contents, how they are built, and the version of Go."""
    digest = hashlib.sha256(subprocess.check_output(["go", "env", "GOVERSION"], cwd=MODULE))
    digest.update(" ".join((*_flags(), *PACKAGES.values())).encode())
    for path in sorted(path for path in MODULE.rglob("*") if path.is_file()):
        digest.update(f"\n{path.relative_to(MODULE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    try:
        print(f"kubernetes-tools: {build().folder}")
    except (ProgramsMissingError, subprocess.CalledProcessError) as error:
        sys.exit(f"kubernetes-tools: {error}")
