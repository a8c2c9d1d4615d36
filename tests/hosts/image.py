"""The root folder that hosts are made of: a small Debian, bootstrapped once and kept.

It holds what an image of a cloud holds, and of what `deploy` installs the packages that are big; nginx is left out, so
that `deploy` installs something for real.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,procps,ca-certificates,"
    "python3,python3-venv,prometheus,prometheus-node-exporter"
)
ACCOUNT = "ubuntu"
BUILD_S = 900
_RECIPE = "3"
_SETTLE = f"""
set -eu
useradd --create-home --shell /bin/bash {ACCOUNT}
echo '{ACCOUNT} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/90-{ACCOUNT}
chmod 440 /etc/sudoers.d/90-{ACCOUNT}
install -d -m 700 -o {ACCOUNT} -g {ACCOUNT} /home/{ACCOUNT}/.ssh
systemctl enable --quiet systemd-networkd ssh
systemctl disable --quiet prometheus prometheus-node-exporter
systemctl mask --quiet prometheus-node-exporter-apt.timer prometheus-node-exporter-nvme.timer \\
    prometheus-node-exporter-mellanox-hca-temp.timer prometheus-node-exporter-smartmon.timer \\
    prometheus-node-exporter-ipmitool-sensor.timer systemd-networkd-wait-online.service 2>/dev/null || true
rm -f /etc/ssh/ssh_host_* /etc/machine-id /etc/resolv.conf
touch /etc/machine-id
apt-get clean
echo 'Acquire::http::Proxy "http://172.31.0.1:3128";' > /etc/apt/apt.conf.d/90-proxy
"""


def cache() -> Path:
    """Return the folder that is kept between runs; LOAD_TEST_CACHE names another."""
    given = os.environ.get("LOAD_TEST_CACHE")
    return Path(given) if given else Path("/var/cache/mattermost-load-test")


def key() -> str:
    """Return what tells one recipe of the image from another."""
    text = "\n".join([SUITE, MIRROR, PACKAGES, _SETTLE, _RECIPE])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def root() -> Path:
    """Return the image's folder, made if need be; one process makes it, others wait."""
    place = cache() / "hosts" / key()
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.parent / ".lock"):
        if not (place / ".whole").exists():
            shutil.rmtree(place, ignore_errors=True)
            _build(place)
            (place / ".whole").touch()
    return place


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(place: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(place), MIRROR]
    log = place.with_suffix(".log")
    with log.open("wb") as output:
        done = subprocess.run(command, stdout=output, stderr=output, timeout=BUILD_S)
        if done.returncode == 0:
            done = subprocess.run(["chroot", str(place), "sh", "-c", _SETTLE], stdout=output, stderr=output)
    if done.returncode:
        raise RuntimeError(f"debootstrap failed: {log.read_text(errors='replace')[-2000:]}")
