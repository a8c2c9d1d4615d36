"""Reading request bodies as Go's JSON decoder does, whose leniency clients have come to rely on.

Names match without regard to case, unknown ones are passed over, `null` is a missing value, text after the first value
is not looked at; a value of another type makes the whole body invalid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

Json = dict[str, Any]
Schema = Mapping[str, Callable[[Any], bool]]
"""Which names a body has, and what tells whether a value is of the right type."""


class InvalidBodyError(Exception):
    """A body that is not what it should be."""


def text(value: Any) -> bool:
    """Accept a text."""
    return isinstance(value, str)


def flag(value: Any) -> bool:
    """Accept true and false."""
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    """Accept a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def texts(value: Any) -> bool:
    """Accept a list of texts."""
    return isinstance(value, list) and all(item is None or isinstance(item, str) for item in value)


def objects(value: Any) -> bool:
    """Accept a list of objects."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def mapping(value: Any) -> bool:
    """Accept an object, whatever it holds."""
    return isinstance(value, dict)


def text_map(value: Any) -> bool:
    """Accept an object of texts."""
    return isinstance(value, dict) and all(item is None or isinstance(item, str) for item in value.values())


def anything(value: Any) -> bool:
    """Accept any value."""
    return True


def decode(body: bytes) -> Any:
    """Return the first JSON value in a body.

    Raises `InvalidBodyError` when there is none.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        return json.JSONDecoder().raw_decode(body.decode().lstrip())[0]
    except (ValueError, RecursionError):
        raise InvalidBodyError from None


def decode_object(body: bytes, schema: Schema) -> Json:
    """Return the object in a body, with those names of `schema` that it has, under the schema's spelling.

    Raises `InvalidBodyError` when it is no object or a value has the wrong type.
    """
    value = decode(body)
    if value is None:
        return {}
    return checked(value, schema)


def decode_leniently(body: bytes, schema: Schema) -> Json:
    """Return the object in a body as old servers do: what has the wrong type is passed over, and `null` is no value.

    Raises `InvalidBodyError` when the body is no JSON or `null`.
    """
    value = decode(body)
    if value is None:
        raise InvalidBodyError
    found = _known(value, schema) if isinstance(value, dict) else {}
    return {name: item for name, item in found.items() if schema[name](item)}


def checked(value: Any, schema: Schema) -> Json:
    """Return what `schema` knows of an object already decoded.

    Raises `InvalidBodyError` as `decode_object` does.
    """
    if not isinstance(value, dict):
        raise InvalidBodyError
    found = _known(value, schema)
    if not all(schema[name](item) for name, item in found.items()):
        raise InvalidBodyError
    return found


def _known(value: Json, schema: Schema) -> Json:
    """Return the values that are none of `null` and have a name of the schema, whatever its case."""
    named = ((given if given in schema else given.lower(), item) for given, item in value.items())
    return {name: item for name, item in named if item is not None and name in schema}


def decode_text_map(body: bytes) -> dict[str, str]:
    """Return an object of texts; an empty one when the body is anything else, as the server does."""
    try:
        value = decode(body)
    except InvalidBodyError:
        return {}
    if not isinstance(value, dict) or not text_map(value):
        return {}
    return {key: item or "" for key, item in value.items()}


def decode_any_map(body: bytes) -> Json:
    """Return an object of anything; an empty one when the body is no object."""
    try:
        value = decode(body)
    except InvalidBodyError:
        return {}
    return value if isinstance(value, dict) else {}


def decode_texts(body: bytes) -> list[str]:
    """Return a list of texts; an empty one when the body is anything else, as the server does."""
    try:
        value = decode(body)
    except InvalidBodyError:
        return []
    return [item or "" for item in value] if texts(value) else []


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    name: str
    filename: str | None
    content_type: str
    data: bytes


_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_DISPOSITION = re.compile(rb'(?i)content-disposition:[^\r\n]*?[; ]name="?([^"\r\n;]*)"?')
_FILENAME = re.compile(rb'(?i)content-disposition:[^\r\n]*?filename="?([^"\r\n;]*)"?')
_TYPE = re.compile(rb"(?i)content-type:\s*([^\r\n]+)")


def decode_multipart(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart body in order.

    Raises `InvalidBodyError` when there is no boundary or the body does not use it.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise InvalidBodyError
    delimiter = b"--" + boundary[1].encode()
    pieces = body.split(delimiter)
    if len(pieces) < 3 or not pieces[-1].lstrip().startswith(b"--"):
        raise InvalidBodyError
    return [_part(piece.removeprefix(b"\r\n").removesuffix(b"\r\n")) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, _, data = piece.partition(b"\r\n\r\n")
    name = _DISPOSITION.search(head)
    filename = _FILENAME.search(head)
    kind = _TYPE.search(head)
    return Part(
        name=name[1].decode(errors="replace") if name else "",
        filename=filename[1].decode(errors="replace") if filename else None,
        content_type=kind[1].decode(errors="replace").strip() if kind else "",
        data=data,
    )


def decode_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form-encoded body."""
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
