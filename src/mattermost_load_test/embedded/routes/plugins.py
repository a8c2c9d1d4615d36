"""Plugins: installing them, switching them on and off. What a plugin would do, it does not do here."""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from typing import Any

import orjson

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.integrations import Plugin

PLUGIN_ID = re.compile(r"[a-zA-Z0-9-_.]{3,190}\Z")

MANIFEST_BYTES_MAX = 1 << 20

NOT_RUNNING, RUNNING = 0, 2
"""States of plugins that the server tells."""

SHOWN = (
    "id",
    "name",
    "description",
    "homepage_url",
    "support_url",
    "release_notes_url",
    "icon_path",
    "version",
    "min_server_version",
    "server",
    "webapp",
    "settings_schema",
    "props",
)
"""What the server shows of a manifest, in its order."""


def upload_plugin(call: Call) -> Answer:
    """Install a plugin from its bundle."""
    _need_enabled(call, "EnableUploads")
    call.need("sysconsole_write_plugins")
    try:
        parts = bodies.decode_multipart(call.body, call.headers.get("Content-Type", ""))
    except bodies.InvalidBodyError:
        return Answer(400, b"request Content-Type isn't multipart/form-data\n", "text/plain; charset=utf-8")
    bundles = [part for part in parts if part.name == "plugin" and part.filename]
    if not bundles:
        raise ApiRefusal(400, "api.plugin.upload.no_file.app_error", "Missing file in multipart/form request.")
    forced = any(part.name == "force" and part.data == b"true" for part in parts)
    manifest = _manifest(bundles[0].data)
    plugins = call.state.integrations.plugins
    known = plugins.get(manifest["id"])
    if known is not None and not forced:
        message = "Unable to install plugin. A plugin with the same ID is already installed."
        raise ApiRefusal(400, "app.plugin.install_id.app_error", message)
    plugins[manifest["id"]] = Plugin(manifest["id"], manifest, active=known is not None and known.active)
    _tell_statuses(call)
    return json_answer(manifest, 201)


def _manifest(bundle: bytes) -> dict[str, Any]:
    """Return the manifest within a bundle."""
    try:
        with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:gz") as archive:
            names = [name for name in archive.getnames() if name.removeprefix("./").split("/")[-1] == "plugin.json"]
            taken = archive.extractfile(min(names, key=len)) if names else None
            found = taken.read(MANIFEST_BYTES_MAX) if taken is not None else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        message = "An error occurred extracting the plugin bundle."
        raise ApiRefusal(400, "app.plugin.extract.app_error", message, str(error)) from None
    try:
        given = bodies.checked(orjson.loads(found), dict.fromkeys(SHOWN, bodies.anything))
    except (ValueError, bodies.InvalidBodyError):
        message = "Unable to find manifest for extracted plugin."
        raise ApiRefusal(400, "app.plugin.manifest.app_error", message) from None
    if not PLUGIN_ID.match(str(given.get("id", ""))):
        message = "Plugin Id must be at least 3 characters, at most 190 characters and match ^[a-zA-Z0-9-_\\.]+$."
        raise ApiRefusal(400, "app.plugin.invalid_id.app_error", message)
    given = {"name": "", "version": ""} | given
    return {name: given[name] for name in SHOWN if name in given}


def get_plugins(call: Call) -> Answer:
    """List the plugins that are on and those that are off."""
    _need_enabled(call)
    call.need("sysconsole_read_plugins")
    plugins = call.state.integrations.plugins.values()
    return json_answer(
        {
            "active": [plugin.manifest for plugin in plugins if plugin.active],
            "inactive": [plugin.manifest for plugin in plugins if not plugin.active],
        }
    )


def get_plugin_statuses(call: Call) -> Answer:
    """List the states of plugins."""
    _need_enabled(call)
    call.need("sysconsole_read_plugins")
    return json_answer(_statuses(call))


def get_webapp_plugins(call: Call) -> Answer:
    """List what browsers need to know of the plugins that are on."""
    _need_enabled(call)
    shown = []
    for plugin in call.state.integrations.plugins.values():
        if plugin.active and plugin.manifest.get("webapp"):
            shown.append({key: plugin.manifest[key] for key in ("id", "version")} | _for_browsers(plugin))
    return json_answer(shown)


def _for_browsers(plugin: Plugin) -> dict[str, Any]:
    return {"name": "", "webapp": {"bundle_path": f"/static/{plugin.id}/{plugin.id}_bundle.js"}}


def enable_plugin(call: Call) -> Answer:
    """Switch a plugin on."""
    return _switch(call, active=True)


def disable_plugin(call: Call) -> Answer:
    """Switch a plugin off."""
    return _switch(call, active=False)


def _switch(call: Call, *, active: bool) -> Answer:
    plugin = _target(call)
    if plugin.active != active:
        plugin.active = active
        manifest = plugin.manifest | _for_browsers(plugin) if plugin.manifest.get("webapp") else None
        if manifest is not None:
            manifest.pop("settings_schema", None)
            built = call.site.events.plugin_enabled if active else call.site.events.plugin_disabled
            call.site.publish(built(manifest))
        _tell_statuses(call)
    return ok()


def remove_plugin(call: Call) -> Answer:
    """Remove a plugin."""
    plugin = _target(call)
    del call.state.integrations.plugins[plugin.id]
    if plugin.active and plugin.manifest.get("webapp"):
        call.site.publish(call.site.events.plugin_disabled(plugin.manifest | _for_browsers(plugin)))
    _tell_statuses(call)
    return ok()


def _target(call: Call) -> Plugin:
    """Return the plugin in the path, if the caller may manage plugins."""
    _need_enabled(call)
    call.need("sysconsole_write_plugins")
    plugin = call.state.integrations.plugins.get(call.params["plugin_id"])
    if plugin is None:
        raise ApiRefusal(404, "app.plugin.not_installed.app_error", "Plugin is not installed.")
    return plugin


def _need_enabled(call: Call, also: str = "Enable") -> None:
    config = call.state.config
    if not (config.get("PluginSettings", "Enable") and config.get("PluginSettings", also)):
        if also == "Enable":
            message = "Plugins have been disabled. Please check your logs for details."
            raise ApiRefusal(501, "app.plugin.disabled.app_error", message)
        message = "Plugins and/or plugin uploads have been disabled."
        raise ApiRefusal(501, "app.plugin.upload_disabled.app_error", message)


def _statuses(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "plugin_id": plugin.id,
            "cluster_id": "",
            "plugin_path": f"plugins/{plugin.id}" if plugin.active else "",
            "state": RUNNING if plugin.active else NOT_RUNNING,
            **({"error": ""} if call.site.version.modern else {}),
            "name": plugin.manifest["name"],
            "description": plugin.manifest.get("description", ""),
            "version": plugin.manifest["version"],
        }
        for plugin in call.state.integrations.plugins.values()
    ]


def _tell_statuses(call: Call) -> None:
    call.site.publish(call.site.events.plugin_statuses_changed(_statuses(call)))


ROUTES = (
    Route("POST", "/plugins", upload_plugin),
    Route("GET", "/plugins", get_plugins),
    Route("GET", "/plugins/webapp", get_webapp_plugins),
    Route("GET", "/plugins/statuses", get_plugin_statuses),
    Route("DELETE", "/plugins/{plugin_id}", remove_plugin),
    Route("POST", "/plugins/{plugin_id}/enable", enable_plugin),
    Route("POST", "/plugins/{plugin_id}/disable", disable_plugin),
)
