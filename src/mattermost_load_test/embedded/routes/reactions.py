"""Reactions to posts."""

from __future__ import annotations

import re

from mattermost_load_test.embedded import bodies
from mattermost_load_test.embedded.answers import Answer, json_answer, ok
from mattermost_load_test.embedded.api_errors import ApiRefusal
from mattermost_load_test.embedded.call import Call
from mattermost_load_test.embedded.ids import is_id
from mattermost_load_test.embedded.routing import Route
from mattermost_load_test.embedded.tables.attachments import Reaction
from mattermost_load_test.embedded.tables.posts import Post

REACTION = {"user_id": bodies.text, "post_id": bodies.text, "emoji_name": bodies.text, "create_at": bodies.whole}
"""What a new reaction is made of."""

EMOJI_NAME = re.compile(r"[a-zA-Z0-9\-+_]+\Z")
EMOJI_NAME_MAX = 64


def save_reaction(call: Call) -> Answer:
    """React to a post."""
    given = call.json("reaction", REACTION, strict=True)
    name, post_id, user_id = (given.get(key, "") for key in ("emoji_name", "post_id", "user_id"))
    if not is_id(user_id) or not is_id(post_id) or not 0 < len(name) <= EMOJI_NAME_MAX:
        raise ApiRefusal(400, "api.reaction.save_reaction.invalid.app_error", "Reaction is not valid.")
    if user_id != call.user_id:
        message = "You cannot save reaction for the other user."
        raise ApiRefusal(403, "api.reaction.save_reaction.user_id.app_error", message)
    if not EMOJI_NAME.match(name):
        message = "Invalid emoji name."
        raise ApiRefusal(400, "model.reaction.is_valid.emoji_name.app_error", message, f"emoji_name={name}")
    call.need_by_post(post_id, "add_reaction")
    post = _post(call, post_id, "save", "You cannot react in an archived channel.")
    reactions = call.state.attachments
    now = call.state.now_ms()
    known = reactions.reaction(post_id, user_id, name)
    reaction = Reaction(user_id, post_id, name, known.create_at if known is not None else now, post.channel_id)
    reactions.react(reaction)
    call.state.counts["reactions"] += 1
    _changed(call, post)
    row = call.views.reaction(reaction)
    call.site.publish(call.site.events.reaction_added(row, post.channel_id))
    return json_answer(row)


def get_reactions(call: Call) -> Answer:
    """List the reactions to a post."""
    post_id = call.id_param("post_id")
    call.need_by_post(post_id, "read_channel")
    return json_answer(_rows(call, post_id))


def delete_reaction(call: Call) -> Answer:
    """Take a reaction back."""
    user_id, post_id, name = call.id_param("user_id"), call.id_param("post_id"), call.params["emoji_name"]
    call.need_by_post(post_id, "remove_reaction")
    if user_id != call.user_id:
        call.need("remove_others_reactions")
    post = _post(call, post_id, "delete", "You cannot remove a reaction in an archived channel.")
    reaction = call.state.attachments.reaction(post_id, user_id, name)
    if reaction is not None:
        call.state.attachments.withdraw(reaction)
    _changed(call, post)
    gone = call.views.reaction(Reaction(user_id, post_id, name, 0, "")) | {"update_at": post.update_at}
    call.site.publish(call.site.events.reaction_removed(gone, post.channel_id))
    return ok()


def get_bulk_reactions(call: Call) -> Answer:
    """List the reactions to several posts."""
    post_ids = bodies.decode_texts(call.body)
    if not post_ids and not call.site.version.modern:
        message = "Unable to get reactions for post."
        raise ApiRefusal(500, "app.reaction.bulk_get_for_post_ids.app_error", message)
    for post_id in post_ids:
        call.need_by_post(post_id, "read_channel")
    return json_answer({post_id: _rows(call, post_id) for post_id in post_ids})


def _post(call: Call, post_id: str, action: str, archived: str) -> Post:
    post = call.known_post(post_id)
    if call.state.channels.by_id[post.channel_id].delete_at:
        raise ApiRefusal(403, f"api.reaction.{action}.archived_channel.app_error", archived)
    return post


def _changed(call: Call, post: Post) -> None:
    """Note on the post that it has other reactions now."""
    post.has_reactions = bool(call.state.attachments.reactions(post.id))
    call.state.posts.touch(post, call.state.now_ms())


def _rows(call: Call, post_id: str) -> list[dict[str, object]]:
    return [call.views.reaction(reaction) for reaction in call.state.attachments.reactions(post_id)]


ROUTES = (
    Route("POST", "/reactions", save_reaction),
    Route("GET", "/posts/{post_id}/reactions", get_reactions),
    Route("DELETE", "/users/{user_id}/posts/{post_id}/reactions/{emoji_name}", delete_reaction),
    Route("POST", "/posts/ids/reactions", get_bulk_reactions),
)
