"""Which server settings must change, and to what."""

from __future__ import annotations

from mattermost_load_test.loadtest.setup.server_settings import (
    Change,
    changes_needed,
    changes_of,
    patch_of,
    rate_limited,
)

FRESH = {
    "TeamSettings": {"EnableOpenServer": False, "MaxUsersPerTeam": 50, "MaxChannelsPerTeam": 60_000},
    "ServiceSettings": {
        "EnableIncomingWebhooks": False,
        "EnableOnlyAdminIntegrations": True,
        "EnableCustomEmoji": False,
    },
    "PluginSettings": {"Enable": False},
    "FileSettings": {"EnableFileAttachments": False},
    "RateLimitSettings": {"Enable": True},
}


def test_what_a_load_needs_is_changed_and_nothing_else() -> None:
    """Switches get their one value, numbers at least theirs; a larger number stays."""
    assert patch_of(changes_needed(FRESH)) == {
        "TeamSettings": {"EnableOpenServer": True, "MaxUsersPerTeam": 50_000},
        "ServiceSettings": {"EnableIncomingWebhooks": True, "EnableOnlyAdminIntegrations": False},
        "PluginSettings": {"Enable": True},
        "FileSettings": {"EnableFileAttachments": True},
    }


def test_custom_emoji_are_switched_on_where_there_are_any() -> None:
    """A population without emoji needs no emoji."""
    emoji = Change("ServiceSettings", "EnableCustomEmoji", False, True)
    assert emoji in changes_needed(FRESH, emoji=True)
    assert emoji not in changes_needed(FRESH)


def test_a_setting_that_the_server_does_not_have_is_left_out() -> None:
    """11.6 knows no EnableOnlyAdminIntegrations: nothing is asked of it that it would refuse."""
    newer = FRESH | {"ServiceSettings": {"EnableIncomingWebhooks": True}}
    assert "ServiceSettings" not in patch_of(changes_needed(newer))


def test_after_the_change_nothing_is_left_to_change() -> None:
    """A second set-up finds all settings made."""
    after = {section: values | patch_of(changes_needed(FRESH)).get(section, {}) for section, values in FRESH.items()}
    assert changes_needed(after) == ()
    assert all(change.made_in(after) for change in changes_needed(FRESH))


def test_settings_given_become_changes_with_their_old_values() -> None:
    """What an import asks for is told old → new as well."""
    (change,) = changes_of({"FileSettings": {"MaxFileSize": 100}}, {"FileSettings": {"MaxFileSize": 2_000}})
    assert (change.name, change.old, change.new) == ("FileSettings.MaxFileSize", 100, 2_000)


def test_a_server_with_a_rate_limit_is_known() -> None:
    """The server's own rate limit spoils a load test: it is noticed, not changed."""
    assert rate_limited(FRESH)
    assert not rate_limited({})
