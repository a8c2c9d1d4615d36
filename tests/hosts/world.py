"""A network of one's own with hosts in it, as a program: everything in here ends when it does.

Run as the first process of a PID, network and mount namespace (`conftest.py` does). It is told by a file of JSON which
hosts there are to be; it writes ``ready`` beside it when they are started, and starts a host again that reboots.
"""

from __future__ import annotations

import json
import pwd
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

BRIDGE = "br0"
HERE = "172.31.0.1"
PROXY_PORT = 3128
REBOOTED = 133
"""What systemd-nspawn ends with when the host in it reboots."""

_NETWORK = """[Match]
Name=host0
[Network]
Address={address}/24
Gateway=172.31.0.1
LinkLocalAddressing=no
IPv6AcceptRA=no
"""


def main(description: Path) -> None:
    """Make the network and the hosts, and keep them until the end."""
    said = json.loads(description.read_text())
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", BRIDGE, "type", "bridge"],
        ["ip", "address", "add", f"{HERE}/24", "dev", BRIDGE],
        ["ip", "link", "set", BRIDGE, "up"],
    ):
        subprocess.run(command, check=True)
    outside = int(said["outside"])  # the network namespace that tests come from, open
    threading.Thread(target=_forward, args=(outside,), daemon=True).start()
    place = description.parent
    database = said["database"]
    account = pwd.getpwnam(database["account"])
    with (place / "database.log").open("ab") as log:
        subprocess.Popen(
            database["command"], stdout=log, stderr=log, user=account.pw_uid, group=account.pw_gid, extra_groups=[]
        )
    for name, address in said["hosts"].items():
        root = _root(place, said["image"], name, address)
        threading.Thread(target=_keep, args=(name, root, place), daemon=True).start()
    (place / "ready").touch()
    signal.pause()


def _root(place: Path, image: str, name: str, address: str) -> Path:
    """Make the root folder of a host: an overlay on the image."""
    folders = {kind: place / name / kind for kind in ("upper", "work", "root")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    options = f"lowerdir={image},upperdir={folders['upper']},workdir={folders['work']}"
    root = folders["root"]
    subprocess.run(["mount", "-t", "overlay", "-o", options, name, str(root)], check=True)
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    (root / "etc/systemd/network/10-host0.network").write_text(_NETWORK.format(address=address))
    key = root / "etc/ssh/ssh_host_ed25519_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return root


def _keep(name: str, root: Path, place: Path) -> None:
    """Start a host, and again when it reboots."""
    groups = _groups(place, name)
    enter = "".join(f"echo 0 > {group}/cgroup.procs && " for group in groups)
    command = [
        *("systemd-nspawn", "--quiet", "--boot", f"--machine={name}", f"--directory={root}"),
        *(f"--network-bridge={BRIDGE}", "--register=no", "--keep-unit", "--console=read-only", "--resolv-conf=off"),
        *("--timezone=off", "--link-journal=no"),
    ]
    with (place / f"{name}.console").open("ab") as console:
        while True:
            started = subprocess.Popen(
                ["sh", "-c", f'{enter} exec "$@"', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
            (place / f"{name}.pid").write_text(str(started.pid))
            if started.wait() != REBOOTED:
                return


def _groups(place: Path, name: str) -> list[Path]:
    """Make a control group for a host in each hierarchy that systemd wants one in."""
    top = Path("/sys/fs/cgroup")
    hierarchies = [top] if (top / "cgroup.controllers").exists() else [top / "systemd", top / "unified"]
    names = f"lt-hosts-{place.name}-{name}"
    groups = [hierarchy / names for hierarchy in hierarchies if hierarchy.is_dir()]
    for group in groups:
        group.mkdir(exist_ok=True)
    return groups


def _forward(outside: int) -> None:
    """Serve the hosts as an HTTP proxy whose own connections leave from outside of the network."""
    listener = socket.create_server((HERE, PROXY_PORT))
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(outside, 0x40000000):  # CLONE_NEWNET, of this thread only
        raise OSError(ctypes.get_errno(), "setns")
    while True:
        near, _ = listener.accept()
        threading.Thread(target=_one, args=(near, outside), daemon=True).start()


def _one(near: socket.socket, outside: int) -> None:
    """Carry one connection: the head of its request says where to."""
    with near:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (chunk := near.recv(65536)):
                    return
                head += chunk
            method, url, rest = head.split(b" ", 2)
            if method == b"CONNECT" or not url.startswith(b"http://"):
                near.sendall(b"HTTP/1.1 501 Not Implemented\r\n\r\n")
                return
            host, _, path = url.removeprefix(b"http://").partition(b"/")
            name, _, port = host.decode().partition(":")
            with socket.create_connection((name, int(port or 80)), timeout=60) as far:
                far.sendall(method + b" /" + path + b" " + rest)
                _carry(near, far)
        except OSError:
            return


def _carry(near: socket.socket, far: socket.socket) -> None:
    """Copy both ways until one end is done. Requests that follow on the same connection go to the same host."""
    while True:
        ready, _, _ = select.select([near, far], [], [], 120)
        if not ready:
            return
        for source, target in ((near, far), (far, near)):
            if source in ready:
                if not (data := source.recv(65536)):
                    return
                if source is near:
                    data = data.replace(b" http://deb.debian.org/", b" /")
                target.sendall(data)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    main(Path(sys.argv[1]))
