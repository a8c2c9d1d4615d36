"""Telling an author that those mentioned will not hear of it, because they are not in the channel."""

from __future__ import annotations

from mattermost_load_test.embedded.site import Site
from mattermost_load_test.embedded.tables.channels import Channel
from mattermost_load_test.embedded.tables.posts import Post
from mattermost_load_test.embedded.tables.users import User


def tell_of_absent(site: Site, post: Post, channel: Channel, names: list[str]) -> None:
    """Show the author of a post, and nobody else, which of the mentioned are in the team but not in the channel."""
    if channel.is_personal:
        return
    known = (site.state.users.by_username.get(name) for name in dict.fromkeys(names))
    absent = [user for user in known if user is not None and _is_in_team(site, user, channel)]
    if not absent:
        return
    absent.sort(key=lambda user: user.username)
    usernames, user_ids = [user.username for user in absent], [user.id for user in absent]
    notice_id = site.new_id()
    named = {
        "post_id": notice_id,
        "usernames": usernames,
        "not_in_channel_usernames": usernames,
        "user_ids": user_ids,
        "not_in_channel_user_ids": user_ids,
        "not_in_groups_usernames": [],
        "not_in_groups_user_ids": [],
    }
    notice = Post(
        id=notice_id,
        channel_id=channel.id,
        user_id="",
        message=_text(usernames),
        create_at=post.create_at + 1,
        update_at=0,
        root_id=post.root_id,
        type="system_ephemeral",
        props={"add_channel_member": named},
        by_client=False,
    )
    row = site.views.post(notice)
    if "parent_id" in row:
        row["parent_id"] = ""
    site.publish(site.events.ephemeral_message(post.user_id, row))


def _is_in_team(site: Site, user: User, channel: Channel) -> bool:
    return not user.delete_at and site.state.teams.member(channel.team_id, user.id) is not None


def _text(usernames: list[str]) -> str:
    *first, last = usernames
    named = f"@{', @'.join(first)} and @{last}" if first else f"@{last}"
    why = "they are not in the channel"
    return f"{named} did not get notified by this mention because {why}."
