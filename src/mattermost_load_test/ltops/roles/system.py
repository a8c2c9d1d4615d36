"""What every host gets: limits of the kernel and of processes, node exporter, no updates in the middle of a run."""

from __future__ import annotations

from mattermost_load_test.ltops.roles.parts import Part, unit_file
from mattermost_load_test.ltops.roles.rendering import render
from mattermost_load_test.ltops.ssh.uploads import RemoteFile

NODE_EXPORTER_PORT = 9100
OPEN_FILES = 65_536
"""Of a process; as in the original tool."""

_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


def system_part(private_address: str) -> Part:
    """Return what every host gets; node exporter listens on its private address."""
    unit = render("node-exporter.service.j2", listen=f"{private_address}:{NODE_EXPORTER_PORT}")
    return Part(
        name="system",
        what="tune the kernel and start node exporter",
        masked=("prometheus-node-exporter.service",),
        packages=("prometheus-node-exporter",),
        files=(
            RemoteFile("/etc/sysctl.d/90-mattermost-load-test.conf", render("sysctl.conf.j2").encode()),
            RemoteFile(
                "/etc/security/limits.d/90-mattermost-load-test.conf",
                render("limits.conf.j2", open_files=OPEN_FILES).encode(),
            ),
            unit_file("mattermost-load-test-node-exporter.service", unit),
        ),
        commands=(
            "sysctl --quiet --load /etc/sysctl.d/90-mattermost-load-test.conf",
            *(f"systemctl disable --quiet --now {timer} 2>/dev/null || true" for timer in _TIMERS),
        ),
        units=("mattermost-load-test-node-exporter.service",),
        ports=((private_address, NODE_EXPORTER_PORT),),
    )
