"""What the server at hand can: found out once at set-up, said once, and what it cannot is left out by the actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mattermost_load_test.errors import ApiError
from mattermost_load_test.loadtest.world import Abilities
from mattermost_load_test.logs import Log
from mattermost_load_test.mattermost.rest import Client


async def find_abilities(admin: Client, preview_url: str, webhooks: bool, log: Log) -> Abilities:
    """Find out what the server cannot do, and say so once; `webhooks` is whether users were allowed to make any."""
    config = await admin.system.config()
    found = Abilities(
        link_previews=await _has_link_previews(admin, preview_url),
        deactivation=await _takes_users_back(admin),
        webhooks=webhooks and _setting(config, "ServiceSettings", "EnableIncomingWebhooks"),
        file_uploads=_setting(config, "FileSettings", "EnableFileAttachments"),
        custom_emoji=_setting(config, "ServiceSettings", "EnableCustomEmoji"),
    )
    for able, lack in (
        (found.link_previews, "This server gives no link previews by request; entities ask for none"),
        (found.deactivation, "This server is at its limit of users without a licence; entities deactivate none"),
        (found.webhooks, "Users of this server may have no webhooks; entities post by none"),
        (found.file_uploads, "This server takes no files; entities upload none"),
        (found.custom_emoji, "This server has custom emoji switched off; entities ask for none"),
    ):
        if not able:
            log.info(lack)
    return found


def _setting(config: Mapping[str, Any], section: str, key: str) -> bool:
    """Return a setting that is on or off; a server without it has nothing to switch off."""
    return bool(config.get(section, {}).get(key, True))


async def _has_link_previews(admin: Client, url: str) -> bool:
    """Say whether the server looks at linked pages when asked to (not from 11 on, nor where it is switched off)."""
    try:
        await admin.links.opengraph(url)
    except ApiError:
        return False
    return True


async def _takes_users_back(admin: Client) -> bool:
    """Say whether a deactivated user can be activated again: not at the user limit of 11 without a licence."""
    try:
        limits = await admin.system.limits()
    except ApiError:
        return True  # servers before 10 have no limits, and nothing that tells them
    return limits.hard_limit_users == 0 or limits.active_users < limits.hard_limit_users
