"""The sample plugin: one that does nothing, so that clients have a plugin to ask for, made here and uploaded.

Its bundle has a part for browsers only: nothing of it runs on the server.
"""

from __future__ import annotations

import io
import tarfile

import orjson

from mattermost_load_test.errors import ApiError
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.rest import Client

PLUGIN_ID = "com.mattermost.loadtest-sample"
BUNDLE_PATH = "webapp/main.js"
BUNDLE = b"window.registerPlugin('com.mattermost.loadtest-sample', {initialize: function () {}});\n"
MANIFEST = {
    "id": PLUGIN_ID,
    "name": "Load test sample",
    "description": "Does nothing; for load tests.",
    "version": "1.0.0",
    "min_server_version": "5.2.0",
    "webapp": {"bundle_path": BUNDLE_PATH},
}
INSTALLED_ALREADY = "app.plugin.install_id.app_error"


async def provide_plugin(admin: Client, log: Log) -> str:
    """Install and enable the sample plugin where it is not; return what a person has to change for it, or nothing."""
    try:
        installed = await admin.plugins.installed()
        if PLUGIN_ID in installed.active:
            return ""
        if PLUGIN_ID not in installed.inactive:
            await _upload(admin, log)
        await admin.plugins.enable(PLUGIN_ID)
    except ApiError as error:
        log.warn("The sample plugin cannot be installed: left out", error=str(error))
        return (
            "the server takes no plugins, and the sample plugin is left out: set PluginSettings.Enable and "
            "PluginSettings.EnableUploads to true in its config.json (the API does not let one), or NumPlugins to 0."
        )
    log.info("Enabled the sample plugin", plugin=PLUGIN_ID)
    return ""


async def has_plugin(admin: Client) -> bool:
    """Say whether the sample plugin is enabled."""
    try:
        return PLUGIN_ID in (await admin.plugins.installed()).active
    except ApiError:  # the server has plugins switched off
        return False


async def _upload(admin: Client, log: Log) -> None:
    """Install the plugin, unless another agent just did."""
    try:
        await admin.plugins.upload(bundle())
    except ApiError as error:
        if error.error_id != INSTALLED_ALREADY:
            raise
    else:
        log.info("Installed the sample plugin", plugin=PLUGIN_ID)


def bundle() -> bytes:
    """Return the plugin's .tar.gz."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in (("plugin.json", orjson.dumps(MANIFEST)), (BUNDLE_PATH, BUNDLE)):
            entry = tarfile.TarInfo(f"{PLUGIN_ID}/{name}")
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
