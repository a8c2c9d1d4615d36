"""What a bulk load will cost the server, told before it: from a sample measured on the server itself.

Nearly all of an import's cost is the hash of each user's password. A login costs one such hash, too, so a few logins of
the admin, less what the same server takes for a request without one, tell what a user will cost there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from mattermost_load_test.config import ConnectionConfiguration
from mattermost_load_test.errors import ApiError
from mattermost_load_test.mattermost.rest import Client
from mattermost_load_test.mattermost.transport import Transport

LOGINS_SAMPLED = 3


@dataclass(frozen=True, slots=True)
class UserCost:
    """CPU seconds that one user costs the server, at least and at most; `measured` on this server, else typical."""

    least_s: float
    most_s: float
    measured: bool

    def of(self, users: int) -> str:
        """Return in words what so many users will cost."""
        least_s, most_s = users * self.least_s, users * self.most_s
        extent = f"{least_s:,.0f}" if round(least_s) == round(most_s) else f"{least_s:,.0f}–{most_s:,.0f}"
        basis = "by a sample of its logins" if self.measured else "as other servers were seen to take"
        return f"about {extent} s of its CPU, {basis}"


TYPICAL_USER_COST = UserCost(0.05, 0.09, measured=False)
"""What a user's line costs: measured on 5.37 and on 11.6 on a small machine."""


async def sampled_cost(transport: Transport, connection: ConnectionConfiguration, server: str) -> UserCost:
    """Log in as the admin a few times and return what a user will cost; what is typical where logins are limited."""
    try:
        logins_s = [await _login_s(transport, connection, server) for _ in range(LOGINS_SAMPLED)]
    except ApiError as refusal:
        if refusal.status != 429:
            raise
        return TYPICAL_USER_COST
    # The least is what the server needs; more is what else the machines did meanwhile.
    least_s = min(logins_s)
    return UserCost(least_s, sorted(logins_s)[LOGINS_SAMPLED // 2], measured=True)


async def _login_s(transport: Transport, connection: ConnectionConfiguration, server: str) -> float:
    """Log in and out, and return how much longer the login took than a request without a password hash."""
    client = Client(transport, server=server)
    begun_s = time.perf_counter()
    await client.system.ping()
    pinged_s = time.perf_counter()
    await client.login(connection.admin_email, connection.admin_password)
    logged_in_s = time.perf_counter()
    await client.logout()
    return max(0.0, (logged_in_s - pinged_s) - (pinged_s - begun_s))
