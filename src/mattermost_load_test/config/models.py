"""`loadtestconfig.json` as models: every key of the original tool, and ours beside them.

An attribute is named as its key in snake case: ``NumActiveEntities`` is ``configuration.entities.num_active_entities``.
Defaults are the original's, except that `DataSource` is empty; where a key is ours, its default changes nothing.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from mattermost_load_test.config.keys import CHANCE, key
from mattermost_load_test.config.values import (
    DAY_MS,
    MAX_COUNT,
    MAX_PROCESSES,
    BulkLoadMethod,
    Driver,
    HTTPTransport,
    HttpUrl,
    Level,
    ListenAddress,
    OptionalHttpUrl,
    Section,
    WebsocketTransport,
    WebsocketUrl,
)


class ConnectionConfiguration(Section):
    """How the agent reaches the server and its hosts."""

    server_url: HttpUrl = key("ServerURL", "http://localhost:8065", "Where the server under test is.")
    websocket_url: WebsocketUrl = key(
        "WebsocketURL",
        "ws://localhost:8065",
        "Where its websocket is; missing or empty, it follows `ServerURL` (ws for http, wss for https).",
    )
    pprof_url: OptionalHttpUrl = key(
        "PProfURL",
        "http://localhost:8067/debug/pprof",
        "Where the server gives its profiles: the port of its metrics.",
    )
    driver_name: Driver = key("DriverName", "mysql", "The kind of the database in `DataSource`; empty means mysql.")
    data_source: SecretStr = key("DataSource", SecretStr(""), "Mattermost's database; empty: it is not used.")
    local_commands: bool = key(
        "LocalCommands",
        True,
        "Whether the server's command line is on this host; else it is reached by SSH.",
    )
    ssh_hostname_port: str = key(
        "SSHHostnamePort",
        "",
        "The server's host for SSH, `host` or `host:port`; its key must be among the known hosts.",
    )
    ssh_username: str = key("SSHUsername", "", "The user for SSH; empty: the one that runs the agent.")
    ssh_password: SecretStr = key("SSHPassword", SecretStr(""), "The password for SSH, or of the private key.")
    ssh_key: str = key("SSHKey", "", "The file with the private key for SSH; empty: the SSH agent's or the user's own.")
    mattermost_install_dir: str = key(
        "MattermostInstallDir", "/opt/mattermost", "Where Mattermost is installed on its host."
    )
    config_file_loc: str = key("ConfigFileLoc", "", "Passed to the server's command line as `--config`.")
    admin_email: str = key(
        "AdminEmail",
        "success+ltadmin@simulator.amazonses.com",
        "E-mail address of the system admin that the set-up logs in as.",
        min_length=1,
    )
    admin_password: SecretStr = key(
        "AdminPassword", SecretStr("ltpassword"), "The system admin's password.", min_length=1
    )
    skip_bulkload: bool = key("SkipBulkload", False, "Take the population as it is on the server; load nothing.")
    bulk_load_method: BulkLoadMethod = key(
        "BulkLoadMethod",
        "auto",
        "How the population gets onto the server: by its import job (`rest`), by its own command line (`cli`), by "
        "the first of them that it has (`auto`), or users and memberships straight into `DataSource` (`database`).",
    )
    bulk_load_workers: int = key(
        "BulkLoadWorkers", 0, "How many lines the server imports side by side; 0: as many as it likes.", ge=0, le=1000
    )
    wait_for_server_start: bool = key(
        "WaitForServerStart", False, "Wait until the server has answered five pings in a row."
    )
    max_idle_conns: int = key(
        "MaxIdleConns",
        100,
        "Idle connections kept open, all hosts together; 0: no bound. Never bounds those in use.",
        ge=0,
        le=MAX_COUNT,
    )
    max_idle_conns_per_host: int = key(
        "MaxIdleConnsPerHost",
        128,
        "Idle connections kept open to one host; 0: no bound. Never bounds those in use.",
        ge=0,
        le=MAX_COUNT,
    )
    idle_conn_timeout_milliseconds: int = key(
        "IdleConnTimeoutMilliseconds",
        90000,
        "How long an idle connection is kept; 0: without end.",
        unit="ms",
        ge=0,
        le=DAY_MS,
    )
    request_timeout_seconds: float = key(
        "RequestTimeoutSeconds",
        60.0,
        "A request without its whole answer after this time is an error of kind `timeout`.",
        unit="s",
        gt=0,
        le=86400,
    )
    http_transport: HTTPTransport = key(
        "HTTPTransport", "httptools", "What speaks HTTP: httptools costs least; aiohttp is there to compare with."
    )
    websocket_transport: WebsocketTransport = key(
        "WebsocketTransport",
        "lean",
        "What holds the websockets: lean costs least; the library websockets is there to compare with.",
    )
    ca_file: str = key("CAFile", "", "A PEM file of authorities to trust beside the system's.")
    skip_certificate_verification: bool = key(
        "SkipCertificateVerification", False, "Accept any certificate; every run warns of it."
    )
    logins_per_second: float = key(
        "LoginsPerSecond",
        0.0,
        "A fixed rate of logins; 0: as fast as the server takes them.",
        unit="1/s",
        ge=0,
        le=10000,
    )
    connects_per_second: float = key(
        "ConnectsPerSecond",
        0.0,
        "A fixed rate at which entities begin, each with its websocket; 0: all begin at once, and their websockets "
        "open over half an action interval.",
        unit="1/s",
        ge=0,
        le=100_000,
    )
    max_logins_in_flight: int = key(
        "MaxLoginsInFlight", 8, "The most logins under way at once where no fixed rate is set.", ge=1, le=10000
    )

    @model_validator(mode="before")
    @classmethod
    def _follow_server_url(cls, given: Any) -> Any:
        """Let an absent websocket URL follow the server's URL."""
        if not isinstance(given, dict) or given.get("WebsocketURL") or given.get("websocket_url"):
            return given
        rest = {name: value for name, value in given.items() if name not in ("WebsocketURL", "websocket_url")}
        server = given.get("ServerURL", given.get("server_url", ""))
        if isinstance(server, str) and server.lower().startswith("http"):
            rest["WebsocketURL"] = "ws" + server[len("http") :]
        return rest

    @field_validator("driver_name", mode="before")
    @classmethod
    def _empty_means_mysql(cls, value: Any) -> Any:
        return "mysql" if value == "" else value


class EnvironmentConfiguration(Section):
    """The population of the server: who and what exists (the file spells the section's name so)."""

    num_teams: int = key("NumTeams", 1, "Teams.", ge=1, le=100_000)
    num_channels_per_team: int = key("NumChannelsPerTeam", 300, "Public channels in each team.", ge=0, le=100_000)
    num_private_channels_per_team: int = key(
        "NumPrivateChannelsPerTeam", 100, "Private channels in each team.", ge=0, le=100_000
    )
    num_direct_message_channels: int = key(
        "NumDirectMessageChannels",
        2000,
        "Direct channels: distinct pairs of users, as many as there are at most.",
        ge=0,
        le=MAX_COUNT,
    )
    num_group_message_channels: int = key(
        "NumGroupMessageChannels", 50, "Group channels of three to eight users.", ge=0, le=MAX_COUNT
    )
    num_users: int = key("NumUsers", 1000, "Users, beside the admin.", ge=1, le=10_000_000)
    num_channel_schemes: int = key("NumChannelSchemes", 1, "Permission schemes of channels.", ge=0, le=100_000)
    num_team_schemes: int = key("NumTeamSchemes", 1, "Permission schemes of teams.", ge=0, le=100_000)
    num_posts: int = key("NumPosts", 20_000_000, "Posts that `loadposts` writes.", ge=0, le=10_000_000_000)
    num_emoji: int = key("NumEmoji", 2000, "Custom emoji.", ge=0, le=1_000_000)
    num_plugins: int = key("NumPlugins", 1, "More than 0: the sample plugin is uploaded and enabled.", ge=0, le=1000)
    post_time_range: int = key(
        "PostTimeRange",
        2_600_000,
        "How far back the posts of `loadposts` reach.",
        unit="s",
        ge=1,
        le=10_000_000_000,
    )
    reply_chance: float = key("ReplyChance", 0.3, "Chance that a post of `loadposts` is a reply.", **CHANCE)
    percent_read_channels: float = key(
        "PercentReadChannels",
        0.8,
        "Part of the members of each channel who have read all that `loadposts` wrote in it.",
        **CHANCE,
    )
    percent_high_volume_teams: float = key(
        "PercentHighVolumeTeams", 0.2, "Part of the teams that are of high volume; the first always is.", **CHANCE
    )
    percent_mid_volume_teams: float = key(
        "PercentMidVolumeTeams", 0.5, "Part of the teams that are of mid volume.", **CHANCE
    )
    percent_low_volume_teams: float = key(
        "PercentLowVolumeTeams",
        0.3,
        "Part of the teams that are of low volume: all the others, whatever stands here.",
        **CHANCE,
    )
    percent_users_high_volume_teams: float = key(
        "PercentUsersHighVolumeTeams", 0.9, "Part of all users who are in a high-volume team.", **CHANCE
    )
    percent_users_mid_volume_teams: float = key(
        "PercentUsersMidVolumeTeams", 0.5, "Part of all users who are in a mid-volume team.", **CHANCE
    )
    percent_users_low_volume_teams: float = key(
        "PercentUsersLowVolumeTeams", 0.1, "Part of all users who are in a low-volume team.", **CHANCE
    )
    percent_high_volume_channels: float = key(
        "PercentHighVolumeChannels",
        0.2,
        "Part of a team's channels that are of high volume; the first always is.",
        **CHANCE,
    )
    percent_mid_volume_channels: float = key(
        "PercentMidVolumeChannels", 0.5, "Part of a team's channels that are of mid volume.", **CHANCE
    )
    percent_low_volume_channels: float = key(
        "PercentLowVolumeChannels",
        0.3,
        "Part of a team's channels that are of low volume: all the others, whatever stands here.",
        **CHANCE,
    )
    percent_users_high_volume_channel: float = key(
        "PercentUsersHighVolumeChannel", 0.1, "Part of a team's users who are in a high-volume channel.", **CHANCE
    )
    percent_users_mid_volume_channel: float = key(
        "PercentUsersMidVolumeChannel", 0.003, "Part of a team's users who are in a mid-volume channel.", **CHANCE
    )
    percent_users_low_volume_channel: float = key(
        "PercentUsersLowVolumeChannel", 0.0002, "Part of a team's users who are in a low-volume channel.", **CHANCE
    )
    high_volume_team_selection_weight: int = key(
        "HighVolumeTeamSelectionWeight",
        3,
        "Weight with which an acting user picks a high-volume team among its own.",
        ge=0,
        le=1_000_000,
    )
    mid_volume_team_selection_weight: int = key(
        "MidVolumeTeamSelectionWeight", 2, "The same of a mid-volume team.", ge=0, le=1_000_000
    )
    low_volume_team_selection_weight: int = key(
        "LowVolumeTeamSelectionWeight", 1, "The same of a low-volume team.", ge=0, le=1_000_000
    )
    high_volume_channel_selection_weight: int = key(
        "HighVolumeChannelSelectionWeight",
        1,
        "Weight with which an acting user picks a high-volume channel among its own.",
        ge=0,
        le=1_000_000,
    )
    mid_volume_channel_selection_weight: int = key(
        "MidVolumeChannelSelectionWeight", 3, "The same of a mid-volume channel.", ge=0, le=1_000_000
    )
    low_volume_channel_selection_weight: int = key(
        "LowVolumeChannelSelectionWeight", 1, "The same of a low-volume channel.", ge=0, le=1_000_000
    )
    percent_custom_scheme_teams: float = key(
        "PercentCustomSchemeTeams", 0.2, "Chance of each team to be given a scheme.", **CHANCE
    )
    percent_custom_scheme_channels: float = key(
        "PercentCustomSchemeChannels", 0.1, "Chance of each channel to be given a scheme.", **CHANCE
    )
    seed: int = key("Seed", 0, "The same seed and keys give the same population, on every machine.", ge=0, le=10**15)


class UserEntitiesConfiguration(Section):
    """What the user entities do, how often and for how long."""

    test_length_minutes: float = key(
        "TestLengthMinutes", 20.0, "How long the entities act; may be a fraction.", unit="min", gt=0, le=100_000
    )
    num_active_entities: int = key(
        "NumActiveEntities", 500, "User entities of this agent, each playing a user of its own.", ge=1, le=10_000_000
    )
    action_rate_milliseconds: int = key(
        "ActionRateMilliseconds",
        240000,
        "From the end of an entity's action to its next, before its kind's multiplier.",
        unit="ms",
        ge=1,
        le=100 * DAY_MS,
    )
    action_rate_max_variance_milliseconds: int = key(
        "ActionRateMaxVarianceMilliseconds",
        1500,
        "That interval varies, evenly, by up to half of this in either direction.",
        unit="ms",
        ge=0,
        le=100 * DAY_MS,
    )
    enable_request_timing: bool = key(
        "EnableRequestTiming",
        True,
        "Without effect: requests are timed always, as the original's last version timed them.",
    )
    channel_link_chance: float = key(
        "ChannelLinkChance", 0.02, "Chance that a post ends with a link to a channel.", **CHANCE
    )
    upload_image_chance: float = key(
        "UploadImageChance", 0.01, "Chance that a post carries one to three images.", **CHANCE
    )
    link_preview_chance: float = key(
        "LinkPreviewChance",
        0.2,
        "Chance that a post seen causes a link preview (servers without post metadata).",
        **CHANCE,
    )
    custom_emoji_chance: float = key(
        "CustomEmojiChance", 0.2, "Chance that a post seen causes a custom emoji to be asked for (likewise).", **CHANCE
    )
    needs_profiles_by_username_chance: float = key(
        "NeedsProfilesByUsernameChance", 0.38, "Chance of one more profile by name when a channel is viewed.", **CHANCE
    )
    needs_profiles_by_id_chance: float = key(
        "NeedsProfilesByIdChance", 0.22, "Chance of one more profile by id when a channel is viewed.", **CHANCE
    )
    needs_profile_status_chance: float = key(
        "NeedsProfileStatusChance", 0.8, "Chance of one more status when a channel is viewed.", **CHANCE
    )
    do_status_polling: bool = key(
        "DoStatusPolling", True, "Every entity asks every 45 s for the status of up to 60 members of a channel."
    )
    randomize_entity_selection: bool = key(
        "RandomizeEntitySelection", False, "Entity n plays the n-th user of a seeded permutation of the users."
    )
    agent_count: int = key("AgentCount", 0, "How many agents run this test together; 0: not said.", ge=0, le=100_000)
    agent_index: int = key(
        "AgentIndex",
        -1,
        "Which of them this one is, from 0: it plays the users from `AgentIndex` × `NumActiveEntities` on. "
        "-1: not said.",
        ge=-1,
        le=99_999,
    )
    num_processes: int = key(
        "NumProcesses",
        0,
        "Worker processes that play the entities, each on a core; 0: one for each core.",
        ge=0,
        le=MAX_PROCESSES,
    )
    max_lateness_milliseconds: int = key(
        "MaxLatenessMilliseconds",
        1000,
        "If 1 % of the actions begin later than this after they are due (or than the action interval, "
        "if that is shorter), the agent counts as saturated.",
        unit="ms",
        ge=1,
        le=DAY_MS,
    )
    max_loop_lag_milliseconds: int = key(
        "MaxLoopLagMilliseconds",
        500,
        "If a worker process comes back to its work later than this in 1 % of the times, the agent counts as "
        "saturated.",
        unit="ms",
        ge=1,
        le=DAY_MS,
    )
    max_cpu_percent: float = key(
        "MaxCPUPercent",
        95.0,
        "If a worker process uses more of a core than this over the whole run, the agent counts as saturated.",
        unit="%",
        gt=0,
        le=100_000,
    )
    max_dropped_events: int = key(
        "MaxDroppedEvents",
        0,
        "If the agent itself throws more websocket events away than this, it counts as saturated.",
        ge=0,
        le=MAX_COUNT,
    )
    link_preview_url: OptionalHttpUrl = key(
        "LinkPreviewURL", "", "The page that link previews ask for; empty: a page of the server under test."
    )

    @field_validator("agent_index")
    @classmethod
    def _below_count(cls, index: int, info: ValidationInfo) -> int:
        count = info.data.get("agent_count")  # missing when it is itself wrong, and then said to be
        if count and index >= count:
            raise ValueError(f"must be below AgentCount ({count}), as agents are counted from 0")
        return index


class ResultsConfiguration(Section):
    """What becomes of the results."""

    custom_report_text: str = key("CustomReportText", "", "Heads the report.")
    send_report_to_mm_server: bool = key(
        "SendReportToMMServer",
        False,
        "Post the summary to a channel of a Mattermost server, with the whole report as a file.",
    )
    results_server_url: OptionalHttpUrl = key("ResultsServerURL", "", "That server.")
    results_channel_id: str = key("ResultsChannelId", "", "The id of that channel.")
    results_username: str = key("ResultsUsername", "", "The user to post as; it must be in that channel.")
    results_password: SecretStr = key("ResultsPassword", SecretStr(""), "That user's password.")
    pprof_delay_minutes: float = key(
        "PProfDelayMinutes",
        15.0,
        "When in the run the server's profiles are taken, by the first agent; 0: never. May be a fraction.",
        unit="min",
        ge=0,
        le=100_000,
    )
    pprof_length: int = key("PProfLength", 240, "How long the CPU profile is; 0: none.", unit="s", ge=0, le=86400)
    metrics_address: ListenAddress = key(
        "MetricsAddress",
        "",
        "Where the agent tells Prometheus what it does, `host:port`, such as `127.0.0.1:9108`; empty: nowhere.",
    )


class LogSettings(Section):
    """Where the structured log goes."""

    enable_console: bool = key("EnableConsole", True, "Write log lines to the console.")
    console_level: Level = key("ConsoleLevel", "INFO", "The least level of a line there.")
    console_json: bool = key("ConsoleJson", True, "Write them as JSON; else as text.")
    enable_file: bool = key("EnableFile", True, "Write log lines to `FileLocation`.")
    file_level: Level = key("FileLevel", "INFO", "The least level of a line there.")
    file_json: bool = key("FileJson", True, "Write them as JSON; else as text.")
    file_location: str = key("FileLocation", "loadtest.log", "The log file.", min_length=1)


class Configuration(Section):
    """The whole of `loadtestconfig.json`."""

    connection: ConnectionConfiguration = Field(
        default_factory=ConnectionConfiguration, alias="ConnectionConfiguration"
    )
    environment: EnvironmentConfiguration = Field(
        default_factory=EnvironmentConfiguration, alias="LoadtestEnviromentConfig"
    )
    entities: UserEntitiesConfiguration = Field(
        default_factory=UserEntitiesConfiguration, alias="UserEntitiesConfiguration"
    )
    results: ResultsConfiguration = Field(default_factory=ResultsConfiguration, alias="ResultsConfiguration")
    logs: LogSettings = Field(default_factory=LogSettings, alias="LogSettings")


SECTIONS: dict[str, type[Section]] = {
    "ConnectionConfiguration": ConnectionConfiguration,
    "LoadtestEnviromentConfig": EnvironmentConfiguration,
    "UserEntitiesConfiguration": UserEntitiesConfiguration,
    "ResultsConfiguration": ResultsConfiguration,
    "LogSettings": LogSettings,
}
"""Every section by its name in the file."""
