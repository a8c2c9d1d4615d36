"""Message attachments, the framed parts of posts that integrations make, as the server keeps them."""

from __future__ import annotations

import re
from typing import Any

Attachment = dict[str, Any]

TEXTS = (
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "text",
    "image_url",
    "thumb_url",
    "footer",
    "footer_icon",
)
"""The names of an attachment's texts."""

_LINK = re.compile(r"<([^<|>]+)\|([^>]+)>")
_PLAIN_LINK = re.compile(r"<(\w+://[^<|>\s]+)>")


def kept(attachments: object) -> list[Attachment] | None:
    """Return attachments with all the names that they can have, None for what are none."""
    if not isinstance(attachments, list):
        return None
    return [_kept(attachment) for attachment in attachments if isinstance(attachment, dict)]


def _kept(attachment: Attachment) -> Attachment:
    row: Attachment = {"id": attachment.get("id", 0)}
    for name in TEXTS:
        row[name] = attachment.get(name) or ""
    fields = attachment.get("fields")
    row["fields"] = [_field(field) for field in fields if isinstance(field, dict)] if fields else None
    row["ts"] = attachment.get("ts")
    if attachment.get("actions"):
        row["actions"] = attachment["actions"]
    return row


def _field(field: Attachment) -> Attachment:
    value = field.get("value")
    short = field.get("short")
    return {
        "title": field.get("title") or "",
        "value": value if value is None or isinstance(value, str) else str(value),
        "short": short is True or (isinstance(short, str) and short.lower() == "true"),
    }


def with_markdown_links(attachments: list[Attachment]) -> list[Attachment]:
    """Turn Slack's links in attachments into Markdown's, as is done to what webhooks bring."""
    for attachment in attachments:
        attachment["text"], attachment["pretext"] = (markdown_links(attachment[name]) for name in ("text", "pretext"))
        for field in attachment["fields"] or ():
            if field["value"] is not None:
                field["value"] = markdown_links(field["value"])
    return attachments


def markdown_links(text: str) -> str:
    """Turn Slack's links, as ``<address|text>``, into Markdown's."""
    return _LINK.sub(r"[\2](\1)", text)
