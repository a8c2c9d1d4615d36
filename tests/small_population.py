"""The population that whole runs in tests have: small enough to be loaded in no time, large enough for every action."""

from __future__ import annotations

from typing import Any

SMALL_POPULATION: dict[str, Any] = {
    "NumTeams": 1,
    "NumChannelsPerTeam": 4,
    "NumPrivateChannelsPerTeam": 1,
    "NumDirectMessageChannels": 3,
    "NumGroupMessageChannels": 1,
    "NumUsers": 12,
    "NumChannelSchemes": 0,
    "NumTeamSchemes": 0,
    "NumEmoji": 1,
    "NumPosts": 0,
    "NumPlugins": 0,
    "PercentUsersHighVolumeTeams": 1.0,
    "PercentUsersHighVolumeChannel": 1.0,
    "PercentUsersMidVolumeChannel": 1.0,
    "PercentUsersLowVolumeChannel": 1.0,
}
"""The section LoadtestEnviromentConfig: twelve users who are all in all channels of one team."""
