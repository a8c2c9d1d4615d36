"""Which members have read their channels' history: decided by a digest of the user's and the channel's id.

So it is the same whoever computes it and when: here, or the database for all members of a channel at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

DIGESTS = 1 << 32
"""How many digests there are: the first eight hexadecimal digits of an MD5 as a number."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Which members have read their channels: `chance` of them, told apart by `seed`."""

    chance: float
    seed: int

    @property
    def limit(self) -> int:
        """Return the digest from which on a member has not read all."""
        return round(self.chance * DIGESTS)

    def has_read(self, user_id: str, channel_id: str) -> bool:
        """Say whether a member has read all of its channel."""
        text = f"{self.seed}{user_id}{channel_id}"
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) < self.limit
