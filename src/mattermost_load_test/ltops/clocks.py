"""Whether the clocks of agents agree with ours, and with it with each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

CLOCKS_APART_MS = 100.0
"""Clocks further apart than this are warned of: agents begin as exactly together as their clocks agree."""


def clock_warnings(offsets_ms: Sequence[float]) -> Iterator[str]:
    """Yield what there is to say of agents whose clocks are ahead of ours by so much, by agent's index."""
    for index, offset_ms in enumerate(offsets_ms):
        if abs(offset_ms) > CLOCKS_APART_MS:
            yield (
                f"the clock of agent {index} is {abs(offset_ms):,.0f} ms "
                f"{'ahead of' if offset_ms > 0 else 'behind'} this machine's: the agents will not begin together"
            )


def least_offset_ms(asked_s: float, there_s: float, answered_s: float) -> float:
    """Return by how much a clock, read between two moments of ours, is ahead of ours at least: 0 if they may agree."""
    if asked_s <= there_s <= answered_s:
        return 0.0
    return (there_s - (answered_s if there_s > answered_s else asked_s)) * 1000
