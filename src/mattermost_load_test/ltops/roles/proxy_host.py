"""nginx on a host of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mattermost_load_test.ltops.roles.parts import HOME, Part, unit_file
from mattermost_load_test.ltops.roles.proxy import Proxy
from mattermost_load_test.ltops.roles.rendering import render
from mattermost_load_test.ltops.ssh.uploads import RemoteFile

PORT = 80
UNIT = "mattermost-proxy.service"
STATE = "/var/lib/mattermost-proxy"
_ACCOUNT = "www-data"


def proxy_part(apps: Sequence[str]) -> Part:
    """Return nginx before the app instances at these addresses with ports."""
    configuration = Proxy(str(PORT), apps, Path(STATE), _ACCOUNT, foreground=True)
    unit = render(
        "proxy.service.j2", configuration=f"{HOME}/nginx.conf", open_files=configuration.open_files, state=STATE
    )
    return Part(
        name="proxy",
        what="start nginx",
        masked=("nginx.service",),
        packages=("nginx-light",),
        files=(RemoteFile(f"{HOME}/nginx.conf", configuration.configuration().encode()), unit_file(UNIT, unit)),
        units=(UNIT,),
        ports=(("127.0.0.1", PORT),),
    )
