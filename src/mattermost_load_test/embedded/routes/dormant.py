"""What a server has that nobody has switched on or used: bots, tokens, outgoing hooks, OAuth, terms, compliance.

Clients and admins' pages ask for it all the same; they get empty lists, or are told that it is off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mattermost_load_test.embedded import api_errors, bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.defaults import console_permissions
from mattermost_load_test.embedded.routing import Route

Handler = Callable[[Call], Answer]

NEVER_BUSY = {"busy": False, "expires": -62135596800, "expires_ts": "Mon Jan 1 00:00:00 +0000 UTC 0001"}
NO_SAML = {"idp_certificate_file": False, "private_key_file": False, "public_certificate_file": False}
COUNTS_BY_DAY = ("post_counts_day", "bot_post_counts_day", "user_counts_with_posts_day")
NO_OAUTH = ("api.oauth.allow_oauth.turn_off.app_error", "The system admin has turned off OAuth2 Service Provider.")
NO_TERMS = "No terms of service found."
NO_RETENTION = ("ent.data_retention.generic.license.error", "Your license does not support Data Retention.")
NO_COMPLIANCE = (
    "ent.compliance.licence_disable.app_error",
    "Compliance functionality disabled by current license. Please contact your system administrator about upgrading "
    "your enterprise license.",
)
NO_BOTS = ("api.bot.create_disabled", "Bot creation has been disabled.")
NO_PUSH = ("api.push_notification.disabled.app_error", "Push Notifications are disabled on this server.")
NO_CLOUD = ("api.cloud.license_error", "Your license does not support cloud requests.")
NO_SHARING = ("api.remote_cluster.service_not_enabled.app_error", "The remote cluster service is not enabled.")
NO_GROUPS = ("api.ldap_groups.license_error", "your license does not support ldap groups")


def _always(name: str, value: Any, permission: str = "") -> Handler:
    """Make the handler, called `name`, that gives the same to everybody who has the permission."""

    def handler(call: Call) -> Answer:
        if permission:
            call.need(permission)
        return ok() if value is None else json_answer(value)

    handler.__name__ = name
    return handler


def _off(name: str, refusal: tuple[str, str], permission: str = "", status: int = 501) -> Handler:
    """Make the handler, called `name`, that tells everybody who has the permission that a feature is off."""

    def handler(call: Call) -> Answer:
        if permission:
            call.need(permission)
        raise ApiRefusal(status, *refusal)

    handler.__name__ = name
    return handler


def get_analytics(call: Call) -> Answer:
    """Count what the server holds, for the system console."""
    call.need("get_analytics")
    state = call.state
    name = call.query_text("name") or "standard"
    if name in COUNTS_BY_DAY:
        return json_answer([])
    channels = [channel for channel in state.channels.by_id.values() if not channel.delete_at]
    if name == "standard":
        counts = {
            "channel_open_count": sum(channel.is_open for channel in channels),
            "channel_private_count": sum(not (channel.is_open or channel.is_personal) for channel in channels),
            "post_count": len(state.posts.by_id),
            "unique_user_count": state.users.active_count,
            "team_count": sum(not team.delete_at for team in state.teams.by_id.values()),
            "total_websocket_connections": 0,
            "total_master_db_connections": 0,
            "total_read_db_connections": 0,
            "daily_active_users": len(state.statuses),
            "monthly_active_users": len(state.statuses),
            "inactive_user_count": len(state.users.by_id) - state.users.active_count,
        }
    elif name == "extra_counts":
        posts = state.posts.by_id.values()
        counts = {
            "file_post_count": sum(bool(post.file_ids) for post in posts),
            "hashtag_post_count": sum(bool(post.hashtags) for post in posts),
            "incoming_webhook_count": len(state.integrations.hooks),
            "outgoing_webhook_count": 0,
            "command_count": 0,
            "session_count": len(state.sessions.by_token),
        }
    else:
        raise api_errors.invalid_body("name")
    return json_answer([{"name": key, "value": value} for key, value in counts.items()])


def get_warn_metrics_status(call: Call) -> Answer:
    """Say what the server warns admins of: nothing."""
    call.need_any(console_permissions(call.site.version.name, "read"))
    return json_answer({})


def get_redirect_location(call: Call) -> Answer:
    """Say where a link leads to: nowhere, links are not followed here."""
    if not call.query_text("url"):
        raise api_errors.invalid_body("url")
    return json_answer({"location": ""})


def get_user_terms_of_service(call: Call) -> Answer:
    """Say that a user has accepted no terms."""
    key = f"userId={call.id_param('user_id')}"
    error_id = "app.user_terms_of_service.get_by_user.no_rows.app_error"
    raise api_errors.not_found(error_id, NO_TERMS, "UserTermsOfService", key)


def get_user_access_tokens_for_user(call: Call) -> Answer:
    """List the access tokens of a user: nobody has any."""
    user_id = call.id_param("user_id")
    call.need("read_user_access_token")
    call.need_self_or(user_id)
    return json_answer([])


def create_user_access_token(call: Call) -> Answer:
    """Refuse to make an access token, which the configuration does not allow."""
    user_id = call.id_param("user_id")
    call.need("create_user_access_token")
    call.need_self_or(user_id)
    message = "Personal access tokens are disabled on this server. Please contact your system administrator "
    raise ApiRefusal(501, "app.user_access_token.disabled", f"{message}for details.")


def get_oauth_apps(call: Call) -> Answer:
    """Refuse to list the apps that sign people in with the server's accounts."""
    if not call.may("manage_oauth"):
        message = "Integrations have been limited to admins only."
        raise ApiRefusal(403, "api.command.admin_only.app_error", message)
    raise ApiRefusal(501, *NO_OAUTH)


def proxy_image(call: Call) -> Answer:
    """Send a client to an image elsewhere: none are fetched here."""
    url = call.query_text("url")
    if not url:
        raise api_errors.invalid_url("url")
    return Answer(302, headers={"Location": url})


def invite_users_to_team(call: Call) -> Answer:
    """Take addresses to invite to a team; no mail is sent here."""
    call.need_in_team(call.id_param("team_id"), "invite_user")
    call.need_in_team(call.params["team_id"], "add_user_to_team")
    call.texts("user_email")
    return ok()


def get_ancillary_permissions(call: Call) -> Answer:
    """Give the permissions that those asked for bring with them: themselves alone."""
    asked = call.query_text("subsection_permissions")
    if not asked:
        raise api_errors.invalid_url("subsection_permissions")
    return json_answer(asked.split(","))


def get_members_minus_group_members(call: Call) -> Answer:
    """List the members who are in none of some groups, of which there are none."""
    if not call.query_text("group_ids"):
        raise api_errors.invalid_body("group_ids")
    return json_answer({"users": [], "total_count": 0})


def do_post_action(call: Call) -> Answer:
    """Refuse to press a button of a post: no post has one that leads anywhere."""
    post = call.known_post(call.id_param("post_id"))
    call.need_in_channel(post.channel_id, "read_channel")
    raise ApiRefusal(404, "api.post.do_action.action_id.app_error", "Invalid action id.", "action=<nil>")


def check_user_mfa(call: Call) -> Answer:
    """Say that signing in takes no second factor."""
    if not isinstance(bodies.decode_any_map(call.body).get("login_id"), str):
        raise api_errors.invalid_body("login_id")
    return json_answer({"mfa_required": False})


ROUTES = (
    Route("GET", "/analytics/old", get_analytics),
    Route("GET", "/redirect_location", get_redirect_location),
    Route("GET", "/system/notices/{team_id}", _always("get_product_notices", [])),
    Route("PUT", "/system/notices/view", _always("update_viewed_product_notices", None)),
    Route("GET", "/warn_metrics/status", get_warn_metrics_status),
    Route("GET", "/users/{user_id}/terms_of_service", get_user_terms_of_service),
    Route("GET", "/bots", _always("get_bots", [], "read_bots")),
    Route("GET", "/hooks/outgoing", _always("get_outgoing_hooks", [], "manage_outgoing_webhooks")),
    Route("GET", "/users/tokens", _always("get_user_access_tokens", [], "manage_system")),
    Route("GET", "/users/{user_id}/tokens", get_user_access_tokens_for_user),
    Route("POST", "/users/{user_id}/tokens", create_user_access_token),
    Route("GET", "/users/{user_id}/oauth/apps/authorized", _off("get_authorized_oauth_apps", NO_OAUTH)),
    Route("GET", "/oauth/apps", get_oauth_apps),
    Route("GET", "/server_busy", _always("get_server_busy_expires", NEVER_BUSY, "manage_system")),
    Route("GET", "/exports", _always("list_exports", [], "manage_system")),
    Route("GET", "/cluster/status", _always("get_cluster_status", [], "sysconsole_read_environment_high_availability")),
    Route("GET", "/saml/certificate/status", _always("get_saml_certificate_status", NO_SAML, "get_saml_cert_status")),
    Route("GET", "/cloud/subscription", _off("get_subscription", NO_CLOUD)),
    Route("GET", "/cloud/products", _off("get_cloud_products", NO_CLOUD)),
    Route("GET", "/data_retention/policy", _off("get_global_policy", NO_RETENTION)),
    Route("GET", "/users/{user_id}/data_retention/team_policies", _off("get_team_policies_for_user", NO_RETENTION)),
    Route("GET", "/users/{user_id}/data_retention/channel_policies", _off("get_channel_policies", NO_RETENTION)),
    Route("GET", "/sharedchannels/{team_id}", _off("get_shared_channels", NO_SHARING)),
    Route("GET", "/ldap/groups", _off("get_ldap_groups", NO_GROUPS, "sysconsole_read_user_management_groups")),
    Route("GET", "/channels/{channel_id}/members_minus_group_members", get_members_minus_group_members),
    Route("GET", "/teams/{team_id}/members_minus_group_members", get_members_minus_group_members),
    Route("GET", "/image", proxy_image),
    Route("GET", "/logs", _always("get_logs", [], "get_logs")),
    Route("GET", "/audits", _always("get_audits", [], "read_audits")),
    Route("GET", "/compliance/reports", _off("get_compliance_reports", NO_COMPLIANCE, "read_compliance_export_job")),
    Route("GET", "/permissions/ancillary", get_ancillary_permissions),
    Route("POST", "/bots", _off("create_bot", NO_BOTS, status=403)),
    Route("POST", "/notifications/ack", _off("push_notification_ack", NO_PUSH)),
    Route("POST", "/teams/{team_id}/invite/email", invite_users_to_team),
    Route("POST", "/users/email/verify/send", _always("send_verification_email", None), session=False),
    Route("POST", "/database/recycle", _always("database_recycle", None, "recycle_database_connections")),
    Route("POST", "/posts/{post_id}/actions/{action_id}", do_post_action),
    Route("POST", "/users/mfa", check_user_mfa, session=False),
)
"""Everything below ``/api/v4`` that is there and does nothing."""
