"""The server's configuration and licence."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import NEVER_CACHED, Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.defaults import console_permissions
from mattermost_load_test.embedded.routing import Route


def get_config(call: Call) -> Answer:
    """Give the whole configuration to an admin."""
    call.need_any(console_permissions(call.site.version.name, "read"))
    return json_answer(_with_address(call), headers=NEVER_CACHED)


def _with_address(call: Call) -> dict[str, Any]:
    sections = call.state.config.sections
    service = sections["ServiceSettings"] | {"SiteURL": call.site.site_url or sections["ServiceSettings"]["SiteURL"]}
    return sections | {"ServiceSettings": service}


def patch_config(call: Call) -> Answer:
    """Change what the body names and leave the rest."""
    changed = _changed(call)
    if changed["PluginSettings"]["EnableUploads"] != call.state.config.get("PluginSettings", "EnableUploads"):
        message = "Changing PluginSettings.EnableUploads is not allowed due to security reasons."
        raise ApiRefusal(403, "api.config.update_config.not_allowed_security.app_error", message)
    return _save(call, changed)


def update_config(call: Call) -> Answer:
    """Change the configuration to what the body names; what it leaves out stays as it is here."""
    changed = _changed(call)
    changed["PluginSettings"]["EnableUploads"] = call.state.config.get("PluginSettings", "EnableUploads")
    return _save(call, changed)


def _changed(call: Call) -> dict[str, dict[str, Any]]:
    """Return the configuration with the body's changes, if the caller may make them."""
    try:
        patch = bodies.decode(call.body)
        if not isinstance(patch, dict):
            raise bodies.InvalidBodyError
        changed = call.state.config.with_patch(patch)
    except (bodies.InvalidBodyError, TypeError):
        raise api_errors.invalid_body("config") from None
    call.need_any(console_permissions(call.site.version.name, "write"))
    return changed


def _save(call: Call, changed: dict[str, dict[str, Any]]) -> Answer:
    _check(changed)
    config = call.state.config
    if config.get("ClusterSettings", "Enable") and config.get("ClusterSettings", "ReadOnlyConfig"):
        message = (
            "System Console is set to read-only when High Availability is enabled unless ReadOnlyConfig is disabled in "
            "the configuration file."
        )
        raise ApiRefusal(403, "ent.cluster.save_config.error", message, "configuration is read-only")
    before = config.client_hash()
    config.replace(changed)
    if config.client_hash() != before:
        call.site.publish(call.site.events.config_changed(config.client() | {"SiteURL": call.site.site_url}))
    return json_answer(_with_address(call), headers=NEVER_CACHED)


def _check(sections: dict[str, dict[str, Any]]) -> None:
    service, team, files = sections["ServiceSettings"], sections["TeamSettings"], sections["FileSettings"]
    rules = (
        (
            service["MaximumLoginAttempts"] > 0,
            "login_attempts",
            "Invalid maximum login attempts for service settings. Must be a positive number.",
        ),
        (
            team["MaxUsersPerTeam"] > 0,
            "max_users",
            "Invalid maximum users per team for team settings. Must be a positive number.",
        ),
        (
            team["MaxChannelsPerTeam"] > 0,
            "max_channels",
            "Invalid maximum channels per team for team settings. Must be a positive number.",
        ),
        (
            files["MaxFileSize"] > 0,
            "max_file_size",
            "Invalid max file size for file settings. Must be a whole number greater than zero.",
        ),
    )
    for good, name, message in rules:
        if not good:
            raise ApiRefusal(400, f"model.config.is_valid.{name}.app_error", message)


def config_reload(call: Call) -> Answer:
    """Read the configuration anew, which changes nothing here."""
    call.need("reload_config")
    return Answer(200, ok().body, headers=NEVER_CACHED)


def get_environment_config(call: Call) -> Answer:
    """Say which settings come from environment variables: none here."""
    return json_answer({}, headers=NEVER_CACHED)


def get_client_config(call: Call) -> Answer:
    """Give clients what they need to know of the configuration."""
    if not call.site.version.modern:
        _need_old_format(call, "config", 501)
    no_accounts = "false" if len(call.state.users) else "true"
    config = call.state.config
    client = config.client() if call.session is not None else config.client_before_login()
    if "SiteURL" in client:
        client["SiteURL"] = call.site.site_url
    client["NoAccounts"] = no_accounts
    return json_answer(client)


def _need_old_format(call: Call, what: str, status: int) -> None:
    asked = call.query_text("format")
    if not asked:
        name = "configuration" if what == "config" else "license"
        raise ApiRefusal(
            status,
            f"api.{what}.client.old_format.app_error",
            f"New format for the client {name} is not supported yet. Please specify format=old in the query string.",
        )
    if asked != "old":
        raise api_errors.invalid_body("format")


def get_client_license(call: Call) -> Answer:
    """Say whether the server has a licence."""
    _need_old_format(call, "license", 400 if call.site.version.modern else 501)
    return json_answer({"IsLicensed": "true" if call.state.licensed else "false"})


ROUTES = (
    Route("GET", "/config", get_config),
    Route("PUT", "/config", update_config),
    Route("PUT", "/config/patch", patch_config),
    Route("POST", "/config/reload", config_reload),
    Route("GET", "/config/environment", get_environment_config),
    Route("GET", "/config/client", get_client_config, session=False),
    Route("GET", "/license/client", get_client_license, session=False),
)
