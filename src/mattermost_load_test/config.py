"""`loadtestconfig.json` as models: every key of the original tool, and ours beside them.

An attribute is named as its key, in snake case: ``NumActiveEntities`` is ``configuration.entities.num_active_entities``.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """A section of the configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ConnectionConfiguration(Section):
    """How the agent reaches the server and its hosts."""

    server_url: str = Field("http://localhost:8065", alias="ServerURL")
    websocket_url: str = Field("ws://localhost:8065", alias="WebsocketURL")
    pprof_url: str = Field("http://localhost:8067/debug/pprof", alias="PProfURL")
    driver_name: str = Field("mysql", alias="DriverName")
    data_source: SecretStr = Field(SecretStr(""), alias="DataSource")
    local_commands: bool = Field(True, alias="LocalCommands")
    ssh_hostname_port: str = Field("", alias="SSHHostnamePort")
    ssh_username: str = Field("", alias="SSHUsername")
    ssh_password: SecretStr = Field(SecretStr(""), alias="SSHPassword")
    ssh_key: str = Field("", alias="SSHKey")
    mattermost_install_dir: str = Field("/opt/mattermost", alias="MattermostInstallDir")
    config_file_loc: str = Field("", alias="ConfigFileLoc")
    admin_email: str = Field("success+ltadmin@simulator.amazonses.com", alias="AdminEmail")
    admin_password: SecretStr = Field(SecretStr("ltpassword"), alias="AdminPassword")
    skip_bulkload: bool = Field(False, alias="SkipBulkload")
    wait_for_server_start: bool = Field(False, alias="WaitForServerStart")
    max_idle_conns: int = Field(100, alias="MaxIdleConns")
    max_idle_conns_per_host: int = Field(128, alias="MaxIdleConnsPerHost")
    idle_conn_timeout_milliseconds: int = Field(90000, alias="IdleConnTimeoutMilliseconds")
    request_timeout_seconds: float = Field(60.0, alias="RequestTimeoutSeconds")
    ca_file: str = Field("", alias="CAFile")
    skip_certificate_verification: bool = Field(False, alias="SkipCertificateVerification")
    logins_per_second: float = Field(0.0, alias="LoginsPerSecond")
    max_logins_in_flight: int = Field(8, alias="MaxLoginsInFlight")


class EnvironmentConfiguration(Section):
    """The population of the server: who and what exists. (The file spells it so.)"""

    num_teams: int = Field(1, alias="NumTeams")
    num_channels_per_team: int = Field(300, alias="NumChannelsPerTeam")
    num_private_channels_per_team: int = Field(100, alias="NumPrivateChannelsPerTeam")
    num_direct_message_channels: int = Field(2000, alias="NumDirectMessageChannels")
    num_group_message_channels: int = Field(50, alias="NumGroupMessageChannels")
    num_users: int = Field(1000, alias="NumUsers")
    num_channel_schemes: int = Field(1, alias="NumChannelSchemes")
    num_team_schemes: int = Field(1, alias="NumTeamSchemes")
    num_posts: int = Field(20000000, alias="NumPosts")
    num_emoji: int = Field(2000, alias="NumEmoji")
    num_plugins: int = Field(1, alias="NumPlugins")
    post_time_range: int = Field(2600000, alias="PostTimeRange")
    reply_chance: float = Field(0.3, alias="ReplyChance")
    percent_high_volume_teams: float = Field(0.2, alias="PercentHighVolumeTeams")
    percent_mid_volume_teams: float = Field(0.5, alias="PercentMidVolumeTeams")
    percent_low_volume_teams: float = Field(0.3, alias="PercentLowVolumeTeams")
    percent_users_high_volume_teams: float = Field(0.9, alias="PercentUsersHighVolumeTeams")
    percent_users_mid_volume_teams: float = Field(0.5, alias="PercentUsersMidVolumeTeams")
    percent_users_low_volume_teams: float = Field(0.1, alias="PercentUsersLowVolumeTeams")
    percent_high_volume_channels: float = Field(0.2, alias="PercentHighVolumeChannels")
    percent_mid_volume_channels: float = Field(0.5, alias="PercentMidVolumeChannels")
    percent_low_volume_channels: float = Field(0.3, alias="PercentLowVolumeChannels")
    percent_users_high_volume_channel: float = Field(0.1, alias="PercentUsersHighVolumeChannel")
    percent_users_mid_volume_channel: float = Field(0.003, alias="PercentUsersMidVolumeChannel")
    percent_users_low_volume_channel: float = Field(0.0002, alias="PercentUsersLowVolumeChannel")
    high_volume_team_selection_weight: int = Field(3, alias="HighVolumeTeamSelectionWeight")
    mid_volume_team_selection_weight: int = Field(2, alias="MidVolumeTeamSelectionWeight")
    low_volume_team_selection_weight: int = Field(1, alias="LowVolumeTeamSelectionWeight")
    high_volume_channel_selection_weight: int = Field(1, alias="HighVolumeChannelSelectionWeight")
    mid_volume_channel_selection_weight: int = Field(3, alias="MidVolumeChannelSelectionWeight")
    low_volume_channel_selection_weight: int = Field(1, alias="LowVolumeChannelSelectionWeight")
    percent_custom_scheme_teams: float = Field(0.2, alias="PercentCustomSchemeTeams")
    percent_custom_scheme_channels: float = Field(0.1, alias="PercentCustomSchemeChannels")
    seed: int = Field(0, alias="Seed")


class UserEntitiesConfiguration(Section):
    """What the user entities do, how often and for how long."""

    test_length_minutes: float = Field(20.0, alias="TestLengthMinutes")
    num_active_entities: int = Field(500, alias="NumActiveEntities")
    action_rate_milliseconds: int = Field(240000, alias="ActionRateMilliseconds")
    action_rate_max_variance_milliseconds: int = Field(1500, alias="ActionRateMaxVarianceMilliseconds")
    enable_request_timing: bool = Field(True, alias="EnableRequestTiming")
    channel_link_chance: float = Field(0.02, alias="ChannelLinkChance")
    upload_image_chance: float = Field(0.01, alias="UploadImageChance")
    link_preview_chance: float = Field(0.2, alias="LinkPreviewChance")
    custom_emoji_chance: float = Field(0.2, alias="CustomEmojiChance")
    needs_profiles_by_username_chance: float = Field(0.38, alias="NeedsProfilesByUsernameChance")
    needs_profiles_by_id_chance: float = Field(0.22, alias="NeedsProfilesByIdChance")
    needs_profile_status_chance: float = Field(0.8, alias="NeedsProfileStatusChance")
    do_status_polling: bool = Field(True, alias="DoStatusPolling")
    randomize_entity_selection: bool = Field(False, alias="RandomizeEntitySelection")
    agent_index: int = Field(0, alias="AgentIndex")
    agent_count: int = Field(1, alias="AgentCount")
    max_lateness_milliseconds: int = Field(1000, alias="MaxLatenessMilliseconds")
    link_preview_url: str = Field("", alias="LinkPreviewURL")


class ResultsConfiguration(Section):
    """What becomes of the results."""

    custom_report_text: str = Field("", alias="CustomReportText")
    send_report_to_mm_server: bool = Field(False, alias="SendReportToMMServer")
    results_server_url: str = Field("", alias="ResultsServerURL")
    results_channel_id: str = Field("", alias="ResultsChannelId")
    results_username: str = Field("", alias="ResultsUsername")
    results_password: SecretStr = Field(SecretStr(""), alias="ResultsPassword")
    pprof_delay_minutes: int = Field(15, alias="PProfDelayMinutes")
    pprof_length: int = Field(240, alias="PProfLength")


class LogSettings(Section):
    """Where the structured log goes."""

    enable_console: bool = Field(True, alias="EnableConsole")
    console_level: str = Field("INFO", alias="ConsoleLevel")
    console_json: bool = Field(True, alias="ConsoleJson")
    enable_file: bool = Field(True, alias="EnableFile")
    file_level: str = Field("INFO", alias="FileLevel")
    file_json: bool = Field(True, alias="FileJson")
    file_location: str = Field("loadtest.log", alias="FileLocation")


class Configuration(Section):
    """The whole of `loadtestconfig.json`."""

    connection: ConnectionConfiguration = Field(default_factory=ConnectionConfiguration, alias="ConnectionConfiguration")
    environment: EnvironmentConfiguration = Field(default_factory=EnvironmentConfiguration, alias="LoadtestEnviromentConfig")
    entities: UserEntitiesConfiguration = Field(default_factory=UserEntitiesConfiguration, alias="UserEntitiesConfiguration")
    results: ResultsConfiguration = Field(default_factory=ResultsConfiguration, alias="ResultsConfiguration")
    logs: LogSettings = Field(default_factory=LogSettings, alias="LogSettings")
