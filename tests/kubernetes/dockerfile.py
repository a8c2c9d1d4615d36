"""Runs the steps of the Dockerfile without a container engine, in a root file system of the test's own.

Its base image's place is taken by this machine's Debian and Python, bound into the root read-only. What a step makes is
what it would make in the image, so that what the tests run is what the Dockerfile says.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile_parse import DockerfileParser
from tests.kubernetes.images import FOLDERS, LINKS
from tests.kubernetes.programs import cache

STEP_TIMEOUT_S = 300
BASE = ("/usr", "/etc", "/dev", "/proc", str(Path.home()), sys.base_prefix)
"""What of this machine stands for the base image; the home folder has what pip is configured with, and its cache."""

IN_ROOT = """
set -e
root=$1; shift
for folder in {base}; do
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
done
exec /usr/sbin/chroot "$root" "$@"
"""


class UnknownInstructionError(Exception):
    """The Dockerfile has an instruction that these tests cannot carry out: teach them."""


@dataclass
class Built:
    """An image as built: the folder of its file system, and how it is run."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    working_directory: str = "/"
    user: int = 0

    @property
    def programs(self) -> str:
        """Where the image's own programs are, above the base image's."""
        return "/opt/mattermost-load-test"

    @property
    def python(self) -> str:
        """The Python of the image's programs."""
        return f"{self.programs}/bin/python"

    @property
    def binds(self) -> dict[str, str]:
        """What containers of it find where on a node."""
        base = {path: path for path in ("/usr", sys.base_prefix)}
        return base | {self.programs: str(self.root / self.programs.lstrip("/"))}


def build(context: Path, folder: Path) -> Built:
    """Carry out the Dockerfile of a folder; the stages' file systems are made in another.

    What is made before the first step that wants our wheel is kept for the next time, as an engine keeps layers.
    """
    steps = [
        (step["instruction"], step["value"])
        for step in DockerfileParser(path=str(context), cache_content=True).structure
        if step["instruction"] not in ("COMMENT", "ARG")  # what the base image is does not matter here
    ]
    first = next(number for number, (_, value) in enumerate(steps) if value.startswith("dist/"))
    digest = hashlib.sha256(repr((steps[:first], sys.version, sys.base_prefix)).encode())
    digest.update((context / "requirements.lock").read_bytes())
    layer = cache().with_name("image-layers") / digest.hexdigest()[:16]
    folder.mkdir()
    root = folder / "build"
    stages: dict[str, Built] = {}
    if layer.exists():
        _copy_tree(layer, root)
        stages["build"] = Built(root)
        steps = steps[first:]
    for number, (instruction, value) in enumerate(steps):
        if number == first and root.exists() and not layer.exists():
            _keep(root, layer)
        if instruction == "FROM":
            _, _, name = value.partition(" AS ")
            stages[name] = Built(_new_root(folder / (name or "final")))
        else:
            _carry_out(list(stages.values())[-1], instruction, value, stages, context)
    return list(stages.values())[-1]


def _keep(root: Path, layer: Path) -> None:
    """Keep what a stage is so far, instead of what was kept before."""
    shutil.rmtree(layer.parent, ignore_errors=True)
    layer.parent.mkdir(parents=True)
    making = Path(tempfile.mkdtemp(dir=layer.parent))
    shutil.copytree(root, making, symlinks=True, dirs_exist_ok=True)
    making.rename(layer)


def _carry_out(image: Built, instruction: str, value: str, stages: dict[str, Built], context: Path) -> None:
    """Carry out one instruction."""
    match instruction:
        case "RUN":
            _run(image, value)
        case "COPY":
            *options, source, target = value.split()
            top = stages[options[0].removeprefix("--from=")].root if options else context
            _copy(top, source, image.root / target.lstrip("/"))
        case "ENV":
            name, _, content = value.partition("=")
            image.environment[name] = content
        case "WORKDIR":
            image.working_directory = value
        case "USER":
            image.user = int(value.partition(":")[0])
        case "ENTRYPOINT":
            image.entrypoint = json.loads(value)
        case "CMD":
            image.command = json.loads(value)
        case _:
            raise UnknownInstructionError(f"{instruction} {value}")


def _new_root(root: Path) -> Path:
    """Make a root file system with nothing in it but the usual folders."""
    for name in (*FOLDERS, "tmp"):
        (root / name).mkdir(parents=True)
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    return root


def _run(image: Built, command: str) -> None:
    """Run a command in an image's file system, as root, in a mount namespace of its own."""
    script = IN_ROOT.format(base=" ".join(map(shlex.quote, dict.fromkeys(BASE))))
    path = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    environment = os.environ | {"PATH": path} | image.environment
    environment.pop("PYTHONPATH", None)
    command_line = ["unshare", "--mount", "sh", "-c", script, "sh", str(image.root), "sh", "-c", command]
    ended = subprocess.run(command_line, env=environment, capture_output=True, text=True, timeout=STEP_TIMEOUT_S)
    if ended.returncode:
        raise RuntimeError(f"RUN {command} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}")


def _copy(top: Path, source: str, target: Path) -> None:
    """Copy files of a pattern into a folder, or the contents of one folder into another, by hard links."""
    found = list(top.glob(source.lstrip("/")))
    if not found:
        raise FileNotFoundError(f"COPY {source}: there is no such thing in {top}")
    for path in found:
        if path.is_dir():
            _copy_tree(path, target)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def _copy_tree(source: Path, target: Path) -> None:
    """Copy a folder by hard links; where that cannot be, since they would lie on two disks, by contents."""
    same = source.stat().st_dev == (target if target.exists() else target.parent).stat().st_dev
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=_link if same else shutil.copy2)


def _link(source: str, target: str) -> None:
    """Make a hard link to a file, or the same symbolic link."""
    os.link(source, target, follow_symlinks=False)
