"""Keys that the original tool had in other years than 2018, by the section they stand in.

Files that hold them load; they are named once as unused. From the settings line of its last version's log and the
configuration files of its public releases.
"""

from __future__ import annotations

DATABASE_ENDPOINT = "DBEndpoint"
"""The one among them that is used: in place of an empty `DataSource`."""

OTHER_YEARS: dict[str, tuple[str, ...]] = {
    "ConnectionConfiguration": (
        DATABASE_ENDPOINT,
        "EnableRequestTiming",
        "MaxRetryWebsocket",
        "ResultsWebhook",
        "RetryWebsockets",
    ),
    "LoadtestEnviromentConfig": (
        "GetPostsAroundLastUnreadChance",
        "NumGetPostsAroundLastUnread",
        "NumPostReactionsPerUser",
        "PostReactionsRateMilliseconds",
    ),
    "UserEntitiesConfiguration": (
        "CustomEmojiReactionChance",
        "DirectChannelCreationChance",
        "EntityRampupDistanceMilliseconds",
        "EntityStartNum",
        "FirstEntityNumber",
        "GetPostsAroundLastUnreadChance",
        "GroupChannelCreationChance",
        "LastEntityNumber",
        "NeedsProfilesChance",
        "NumClientEntities",
        "NumGetPostsAroundLastUnread",
        "NumPostReactionsPerUser",
        "NumPostsGetBeforeAfter",
        "Offset",
        "PostReactionsRateMilliseconds",
        "PrivateChannelCreationChance",
        "PublicChannelCreationChance",
        "SystemEmojiReactionChance",
        "UserProfileUpdateEmailChance",
        "UserProfileUpdateFullnameChance",
        "UserProfileUpdateImageChance",
        "UserProfileUpdateNicknameChance",
        "UserProfileUpdatePositionChance",
        "UserProfileUpdateUsernameChance",
    ),
    "ResultsConfiguration": (),
    "LogSettings": (),
    "ChannelCreationConfiguration": ("NumPerTeam",),
    "ChannelsConfiguration": ("NumChannelsPerTeam",),
    "DisplayConfiguration": ("LogToConsole", "ShowUI"),
    "TeamCreationConfiguration": ("Num",),
    "TeamsConfiguration": ("NumTeams",),
    "UserCreationConfiguration": ("Num", "NumChannelsToJoin"),
    "UserEntityGetChannelConfiguration": ("GetFrequencySeconds", "UseEtags"),
    "UserEntityPosterConfiguration": ("PostingFrequencySeconds",),
    "UsersConfiguration": ("NumChannelsToJoin", "NumUsers"),
}
