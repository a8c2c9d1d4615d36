"""What differs between the Mattermost versions that the embedded server plays, in one place.

Numbers and names come from the recorded sessions (``tests/data/exchanges``) and, for 5.37, from the server's public
source.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the server: each attribute says in what it differs from the other."""

    name: str
    """What the user calls it, as ``--server-version`` takes it."""
    number: str
    """The full number, first part of ``X-Version-Id``."""
    build: str
    """The build number, second part of ``X-Version-Id``."""
    modern: bool
    """Whether it is 11.6 rather than 5.37: decides over the shapes of answers."""
    details_in_errors: bool
    """Whether errors carry `detailed_error` (the recorded 5.37 ran in developer mode)."""
    license_error_status: int
    """Status of a refusal for want of the right ``format=`` or licence."""
    channel_name_min: int
    """How long the name of a channel is at least."""
    user_limit: int
    """Active users from which on a server without a licence makes no further ones; 0 is none."""
    user_soft_limit: int
    """Active users from which on it complains; 0 is none."""


OLD = Version(
    name="5.37",
    number="5.37.0",
    build="dev",
    modern=False,
    details_in_errors=True,
    license_error_status=501,
    channel_name_min=2,
    user_limit=0,
    user_soft_limit=0,
)
NEW = Version(
    name="11.6",
    number="11.6.0",
    build="",
    modern=True,
    details_in_errors=False,
    license_error_status=403,
    channel_name_min=1,
    user_limit=250,
    user_soft_limit=200,
)

VERSIONS = {version.name: version for version in (OLD, NEW)}
"""The versions that can be played, by name."""
