"""The server's configuration and licence."""

from __future__ import annotations

from typing import Any

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import NEVER_CACHED, Answer, json_answer
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.routing import Route

READ = "sysconsole_read_environment_web_server"
WRITE = "sysconsole_write_environment_web_server"


def get_config(call: Call) -> Answer:
    """Give the whole configuration to an admin."""
    call.need(READ)
    return json_answer(_with_address(call), headers=NEVER_CACHED)


def _with_address(call: Call) -> dict[str, Any]:
    sections = call.state.config.sections
    service = sections["ServiceSettings"] | {"SiteURL": call.site.site_url or sections["ServiceSettings"]["SiteURL"]}
    return sections | {"ServiceSettings": service}


def patch_config(call: Call) -> Answer:
    """Change what the body names and leave the rest."""
    call.need(WRITE)
    try:
        patch = bodies.decode(call.body)
    except bodies.InvalidBodyError:
        raise api_errors.invalid_body("config") from None
    return _save(call, patch)


def _save(call: Call, patch: Any) -> Answer:
    config = call.state.config
    if not isinstance(patch, dict):
        raise api_errors.invalid_body("config")
    try:
        changed = config.with_patch(patch)
    except TypeError:
        raise api_errors.invalid_body("config") from None
    _check(changed)
    before = config.client_hash()
    config.replace(changed)
    if config.client_hash() != before:
        call.site.publish(call.site.events.config_changed(config.client()))
    return json_answer(_with_address(call), headers=NEVER_CACHED)


def _check(sections: dict[str, dict[str, Any]]) -> None:
    team, files = sections["TeamSettings"], sections["FileSettings"]
    rules = (
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


def get_client_config(call: Call) -> Answer:
    """Give clients what they need to know of the configuration."""
    if not call.site.version.modern:
        _need_old_format(call, "config", 501)
    no_accounts = "false" if len(call.state.users) else "true"
    client = call.state.config.client() | {"SiteURL": call.site.site_url, "NoAccounts": no_accounts}
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
    Route("PUT", "/config/patch", patch_config),
    Route("GET", "/config/client", get_client_config, session=False),
    Route("GET", "/license/client", get_client_license, session=False),
)
