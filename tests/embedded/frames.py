"""Recorded websocket frames, and comparing them with those of the embedded server."""

from __future__ import annotations

import json
from typing import Any

from tests.embedded.matching import Ids, compare
from tests.embedded.recording import DATA

OWN = ("server_version", "server_hostname")
"""What each server says of itself: compared by being there."""


def read_frames(name: str) -> list[dict[str, Any]]:
    """Give the lines of one recording of websockets, such as ``websocket-5.37``."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]


def decoded(frame: dict[str, Any]) -> dict[str, Any]:
    """Give a frame with the JSON inside its texts decoded, and without what each server says of itself."""
    data = {key: _decoded(value) for key, value in frame.get("data", {}).items()}
    if "teammate_ids" in data:  # sorted by id, which tells nothing
        data["teammate_ids"] = dict.fromkeys(data["teammate_ids"])
    return {**frame, "data": data | {key: "" for key in OWN if data.get(key)}}


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


def differences(ids: Ids, recorded: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """List in what our frame differs from the recorded one; ids seen first here are learnt."""
    left, right = decoded(recorded), decoded(ours)
    ids.learn(left, right)
    return list(compare(ids, left, right, recorded.get("event", "reply")))
