"""What is deployed in these tests: the agent's bundle as `make package` makes it, and a stand-in for Mattermost.

The stand-in is the embedded server, packed as a release is, with all it needs: hosts have nothing but their Python.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hosts import image

from mattermost_load_test import __version__
from mattermost_load_test.config import CONFIGURATION_FILE
from mattermost_load_test.ltops.artifacts import bundling
from mattermost_load_test.ltops.artifacts.archives import BUNDLE_CARD, BUNDLE_FORMAT

ROOT = Path(__file__).parents[2]
PYTHON = "3.11"
"""That of the hosts."""

LEFT_OUT = ("boto", "kubernetes", "supervisor", "pip-")
"""How the names of big wheels begin that the server does without."""

PROGRAM = Path(__file__).with_name("stand_in.py")


def bundle(target: Path, configuration: Mapping[str, Any]) -> Path:
    """Make the agent's bundle for the hosts' Python, with this configuration; others' wheels are kept between runs."""
    top = target.parent / bundling.TOP
    (top / "wheels").mkdir(parents=True)
    for wheel in [*_wheels().glob("*.whl"), _own_wheel(target.parent / "dist")]:
        shutil.copy(wheel, top / "wheels")
    (top / CONFIGURATION_FILE).write_text(json.dumps(configuration))
    shutil.copy(bundling.INSTALLER, top / "install.sh")
    card = {"format": BUNDLE_FORMAT, "version": __version__, "pythons": [PYTHON], "platform": "linux-x86_64"}
    (top / BUNDLE_CARD).write_text(json.dumps(card))
    bundling.pack(top, target)
    return target


def _wheels() -> Path:
    """Return the folder of the wheels that the lock file names, fetched if need be."""
    lock = ROOT / "requirements.lock"
    place = image.cache() / "wheels" / f"{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}-{PYTHON}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with image.locked(place.parent / ".lock"):
        if not place.exists():
            unfinished = place.with_name(f"{place.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            bundling.gather(ROOT / "pyproject.toml", lock, PYTHON, unfinished)
            unfinished.rename(place)
    return place


def _own_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def stand_in(target: Path, bundled: Path, version: str) -> Path:
    """Pack a Mattermost that is the embedded server, as a release is laid out."""
    files = {
        "bin/mattermost": f"#!/usr/bin/python3\n# {version}\n{PROGRAM.read_text()}".encode(),
        "config/config.json": json.dumps({"EmailSettings": {"SMTPPort": "10025"}}).encode(),
        "i18n/en.json": b"[]",
        "client/root.html": b"",
        "templates/a.html": b"",
    }
    with tarfile.open(target, "w:gz", compresslevel=1) as packed, tarfile.open(bundled) as bundle:
        for name, data in files.items():
            _add(packed, name, data)
        for member in bundle:
            name = member.name.rpartition("/")[2]
            if not name.endswith(".whl") or name.startswith(LEFT_OUT):
                continue
            if (wheel := bundle.extractfile(member)) is not None:
                _unzip(packed, wheel.read())
    return target


GRAFANA = """#!/usr/bin/python3
import glob, http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        for path in glob.glob(os.environ["GF_PATHS_PROVISIONING"] + "/*/*.yml"):
            self.wfile.write(open(path, "rb").read())
        self.wfile.write(("\\n".join(glob.glob("/etc/mattermost-load-test/dashboards/*.json"))).encode())
assert len(os.environ["GF_SECURITY_ADMIN_PASSWORD"]) > 20
where = os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])
http.server.HTTPServer(where, Answer).serve_forever()
"""


def grafana(target: Path) -> Path:
    """Make a package of a stand-in for Grafana, which tells what it was given."""
    root = target.parent / "grafana"
    files = {
        "DEBIAN/control": "Package: grafana\nVersion: 0\nArchitecture: all\nMaintainer: us\nDescription: a stand-in\n",
        "usr/sbin/grafana-server": GRAFANA,
        "lib/systemd/system/grafana-server.service": "[Service]\nExecStart=/usr/sbin/grafana-server\n"
        "[Install]\nWantedBy=multi-user.target\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        path.write_text(text)
        path.chmod(0o755 if "sbin" in name else 0o644)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(root), str(target)], check=True, stdout=subprocess.DEVNULL
    )
    return target


def _unzip(packed: tarfile.TarFile, wheel: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                _add(packed, f"lib/{name}", archive.read(name))


def _add(packed: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(f"mattermost/{name}")
    member.size, member.mode = len(data), 0o755 if name.startswith("bin/") else 0o644
    packed.addfile(member, io.BytesIO(data))
