"""Namespaces for a real node: network, mounts, processes and IPC of its own, which end whole with their first process.

So the node neither sees nor touches this machine's network, and what it would leave behind is kept off this machine:
folders below a tmpfs or an overlay, control groups below one of its own, and the kernel settings that a kubelet makes
for the whole machine shown to it as made already.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.kubernetes.keeping import CGROUPS, Processes

ADDRESS = "10.250.0.1"
"""The node's address in its own network, where no packet leaves."""

KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets for the whole machine, unless it finds it so (its `setupKernelTunables`)."""

SETUP = """
set -e
ip link set lo up
ip link add node type bridge
ip address add {address}/32 dev node
ip link set node up
ip route add default dev node
echo 1 >/proc/sys/net/ipv4/ip_forward
for file in {folder}/settings/*; do
    mount --bind "$file" "/proc/sys/$(basename "$file" | tr + /)"
done
mkdir {folder}/lib {folder}/lib-work
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t overlay overlay -o lowerdir=/var/lib,upperdir={folder}/lib,workdir={folder}/lib-work /var/lib
mkdir -p /run/netns /var/log/pods /var/log/containers
: >{folder}/namespaces-ready
exec {pause}
"""
"""What the first process does before it becomes `pause`, which waits, and reaps what is left to it."""

UNSHARE = ("unshare", "--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc")


def refused() -> str:
    """Say why this process may not make namespaces; empty if it may."""
    if os.geteuid() != 0:
        return "only root can make them"
    tried = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, text=True)
    return tried.stderr.strip()


def make(outside: Processes, pause: str) -> Sequence[str]:
    """Make the namespaces, with the node's network and file systems; return the command that starts another in them."""
    folder = outside.folder
    settings = folder / "settings"
    settings.mkdir()
    for name, value in KERNEL_SETTINGS.items():
        if Path("/proc/sys", name).exists():
            (settings / name.replace("/", "+")).write_text(f"{value}\n")
    script = SETUP.format(folder=folder, address=ADDRESS, pause=pause)
    unshare = outside.run("namespaces", *UNSHARE, "sh", "-c", script)
    outside.until((folder / "namespaces-ready").exists, "the namespaces are made")
    first = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()[0]
    return ("nsenter", f"--target={first}", "--net", "--mount", "--pid", "--ipc")


def publish(outside: Processes, inside: Processes, port: int) -> str:
    """Let a port of the node be reached from this machine's loopback; return the address and port there.

    A socket in the file system joins the two networks, since it belongs to neither.
    """
    path = outside.folder / f"{port}.socket"
    inside.run(f"publish-{port}", "socat", f"UNIX-LISTEN:{path},fork", f"TCP:{ADDRESS}:{port}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        here = f"127.0.0.1:{free.getsockname()[1]}"
    listen = f"TCP-LISTEN:{here.rpartition(':')[2]},bind=127.0.0.1,reuseaddr,fork"
    outside.run(f"published-{port}", "socat", listen, f"UNIX-CONNECT:{path}")
    return here


def make_control_groups(name: str) -> None:
    """Make a control group of the name in every hierarchy, for the kubelet to put its own below."""
    hierarchies = [CGROUPS] if (CGROUPS / "cgroup.controllers").exists() else list(CGROUPS.iterdir())
    for hierarchy in hierarchies:
        group = hierarchy / name
        group.mkdir()
        for file in ("cpuset.cpus", "cpuset.mems"):  # a new one has none in version 1, and then takes no process
            if (group / file).exists() and not (group / "cgroup.controllers").exists():
                shutil.copyfile(hierarchy / file, group / file)
