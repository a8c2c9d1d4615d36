"""`make package`: the agent as one file that hosts without internet install it from.

Wheels of this package and of all it stands on, for several Pythons; a script that installs them into a virtual
environment; the configuration, to be edited. The file's bytes follow from what is in it: members sorted, times fixed.
The dependencies are those of the lock file, resolved anew for each Python, since which there are depends on it.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mattermost_load_test import __version__
from mattermost_load_test.ltops.artifacts.archives import BUNDLE_CARD, BUNDLE_FORMAT

TOP = "mattermost-load-test"
INSTALLER = Path(__file__).with_name("install.sh")
DEFAULT_TIME_S = 315532800  # 1980, where zip files begin
PLATFORMS = (  # the glibc of Debian 12 is 2.36
    *(f"manylinux_2_{minor}_x86_64" for minor in range(5, 37)),
    "manylinux1_x86_64",
    "manylinux2010_x86_64",
    "manylinux2014_x86_64",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the bundle that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="pyproject.toml")
    parser.add_argument("--lock", type=Path, required=True, help="requirements.lock")
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of this package")
    parser.add_argument("--config", type=Path, required=True, help="loadtestconfig.json")
    parser.add_argument("--pythons", nargs="+", required=True, help="the CPythons to have wheels for: 3.11 3.12")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder) / TOP
        wheels = top / "wheels"
        wheels.mkdir(parents=True)
        for python in given.pythons:
            print(f"wheels for Python {python} …", flush=True)
            gather(given.project, given.lock, python, wheels)
        for source in (given.wheel, given.config):
            (wheels if source.suffix == ".whl" else top).joinpath(source.name).write_bytes(source.read_bytes())
        (top / "install.sh").write_bytes(INSTALLER.read_bytes())
        card = {"format": BUNDLE_FORMAT, "version": __version__, "pythons": given.pythons, "platform": "linux-x86_64"}
        (top / BUNDLE_CARD).write_text(json.dumps(card, indent=4) + "\n")
        given.output.parent.mkdir(parents=True, exist_ok=True)
        pack(top, given.output)
    print(f"{given.output}: {given.output.stat().st_size / 1e6:.0f} MB, for Python {', '.join(given.pythons)}")


def gather(project: Path, lock: Path, python: str, wheels: Path) -> None:
    """Bring the wheels of all that `project` stands on for one Python, in the versions that `lock` names."""
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / "requirements.txt"
        target = ["--python-version", python, "--python-platform", "x86_64-manylinux_2_36"]
        resolve = ["-m", "uv", "pip", "compile", "--quiet", "--no-header", "--generate-hashes", *target]
        _python(*resolve, "--constraint", str(lock), str(project), "--output-file", str(resolved))
        platforms = [f"--platform={name}" for name in PLATFORMS]
        where = ["--dest", folder, "--python-version", python, *platforms]
        download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", *where]
        _python(*download, "--require-hashes", "--requirement", str(resolved))
        _python(*download, "pip")  # the hosts need not have one
        for source in Path(folder).glob("*.tar.gz"):  # no wheel published: these are pure Python
            _python(
                "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "-w", folder, str(source)
            )
        for wheel in Path(folder).glob("*.whl"):
            wheel.replace(wheels / wheel.name)


def pack(top: Path, output: Path) -> None:
    """Write the folder `top` as a ``.tar.gz`` whose bytes depend on nothing but its files."""
    time_s = int(os.environ.get("SOURCE_DATE_EPOCH", DEFAULT_TIME_S))
    with (
        output.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=time_s) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _sorted(top):
            member = tarfile.TarInfo(f"{TOP}/{path.relative_to(top)}")
            member.mtime, member.size = time_s, path.stat().st_size
            member.mode = 0o755 if path.suffix == ".sh" else 0o644
            archive.addfile(member, io.BytesIO(path.read_bytes()))


def _sorted(top: Path) -> Iterator[Path]:
    """Yield the files below `top`, the card first, so that looking at it means reading little."""
    yield top / BUNDLE_CARD
    yield from (path for path in sorted(top.rglob("*")) if path.is_file() and path != top / BUNDLE_CARD)


def _python(*arguments: str) -> None:
    """Run this Python with `arguments`."""
    subprocess.run([sys.executable, *arguments], check=True)


if __name__ == "__main__":
    main()
