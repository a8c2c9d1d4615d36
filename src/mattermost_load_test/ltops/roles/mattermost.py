"""The settings of a Mattermost server under test, as its config.json has them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

UNLIMITED = 10_000_000
CLUSTER_NAME = "load-test"
GOSSIP_PORT = 8074
STREAMING_PORT = 8075

LICENSE_VARIABLE = "MM_LICENSE"
"""What a server takes its licence from before all else: its file counts only where the database has none yet."""

NO_SHARED_EVENTS = (
    "a licence: several app instances of a real Mattermost do not see each other's events without one, so that users "
    "on different instances miss each other's posts until they reload"
)
"""What several servers lack without a licence, in the words that `status` has."""


def profiles_url(metrics_listen: str) -> str:
    """Return where a server gives the profiles of Go's net/http/pprof: beside its metrics."""
    return f"http://{metrics_listen}/debug/pprof"


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What differs from server to server.

    `file_directory` is shared by all apps. `connections_max` is how many connections this server may open to the
    database: all servers' sum must fit it. `license_file` is empty without one, `metrics_listen` where it tells none.
    `readers` are data sources of replicas. `bucket` is where files are instead of `file_directory`, by name and region,
    opened by the host's own role. `cluster_address` is where the servers of a cluster find this one, empty outside of
    one, which takes a licence; they know each other by these addresses, so that each needs one of its own.
    `bind_address` is where it listens for them, everywhere if empty. `local_mode` opens a socket for `mmctl --local`,
    one on a host. `at_rest_key` and `public_link_salt` are what a server makes for itself where it is told
    none, and all of a site must have alike.
    """

    listen: str
    site_url: str
    driver: str
    data_source: SecretStr
    file_directory: str
    log_directory: str
    plugin_directory: str
    client_plugin_directory: str
    connections_max: int
    license_file: str = ""
    metrics_listen: str = ""
    readers: Sequence[SecretStr] = ()
    bucket: tuple[str, str] | None = None
    cluster_address: str = ""
    bind_address: str = ""
    gossip_port: int = GOSSIP_PORT
    streaming_port: int = STREAMING_PORT
    local_mode: bool = False
    at_rest_key: SecretStr | None = None
    public_link_salt: SecretStr | None = None

    def merged_into(self, shipped: Mapping[str, Any]) -> dict[str, Any]:
        """Return a whole configuration: what is shipped, with these settings over it; the data source in clear."""
        merged: dict[str, Any] = copy.deepcopy(dict(shipped))
        for section, values in self._sections().items():
            merged[section] = {**merged.get(section, {}), **values}
        return merged

    def _sections(self) -> dict[str, dict[str, Any]]:
        """Return what the original tool's deploy set, in today's terms."""
        return {
            "ServiceSettings": {
                "ListenAddress": self.listen,
                "SiteURL": self.site_url,
                "EnableLinkPreviews": True,
                "AllowedUntrustedInternalConnections": "127.0.0.1 localhost",
                "EnableIncomingWebhooks": True,
                "EnableOnlyAdminIntegrations": False,
                "EnableSecurityFixAlert": False,
                "EnableLocalMode": self.local_mode,
                "LicenseFileLocation": self.license_file,
            },
            "TeamSettings": {
                "EnableOpenServer": True,
                "MaxUsersPerTeam": UNLIMITED,
                "MaxChannelsPerTeam": UNLIMITED,
            },
            "SqlSettings": {
                "DriverName": self.driver,
                "DataSource": self.data_source.get_secret_value(),
                **_given("AtRestEncryptKey", self.at_rest_key),
                "DataSourceReplicas": [reader.get_secret_value() for reader in self.readers],
                "MaxOpenConns": self.connections_max,
                "MaxIdleConns": min(200, self.connections_max),
            },
            "FileSettings": self._files(),
            "LogSettings": {
                "EnableConsole": True,
                "ConsoleLevel": "INFO",
                "ConsoleJson": True,
                "EnableFile": False,
                "FileLocation": self.log_directory,
                "EnableDiagnostics": False,
            },
            "PluginSettings": {
                "Enable": True,
                "EnableUploads": True,
                "Directory": self.plugin_directory,
                "ClientDirectory": self.client_plugin_directory,
                "AutomaticPrepackagedPlugins": False,
                "EnableRemoteMarketplace": False,
            },
            "AnnouncementSettings": {"AdminNoticesEnabled": False, "UserNoticesEnabled": False},
            "EmailSettings": {"SendEmailNotifications": False, "EnablePreviewModeBanner": False},
            "RateLimitSettings": {"Enable": False},
            "MetricsSettings": {
                "Enable": bool(self.metrics_listen),
                "BlockProfileRate": 1,
                "ListenAddress": self.metrics_listen or ":8067",
            },
            "ClusterSettings": self._cluster(),
        }

    def _files(self) -> dict[str, Any]:
        return {**self._store(), **_given("PublicLinkSalt", self.public_link_salt)}

    def _store(self) -> dict[str, Any]:
        if self.bucket is None:
            return {"DriverName": "local", "Directory": self.file_directory}
        name, region = self.bucket
        return {
            "DriverName": "amazons3",
            "Directory": self.file_directory,
            "AmazonS3AccessKeyId": "",  # the host's role opens it
            "AmazonS3SecretAccessKey": "",
            "AmazonS3Bucket": name,
            "AmazonS3Region": region,
            "AmazonS3Endpoint": "s3.amazonaws.com",
            "AmazonS3SSL": True,
        }

    def _cluster(self) -> dict[str, Any]:
        if not self.cluster_address:
            return {"Enable": False}
        return {
            "Enable": True,
            "ClusterName": CLUSTER_NAME,
            "OverrideHostname": self.cluster_address,
            "AdvertiseAddress": self.cluster_address,
            "BindAddress": self.bind_address,
            "UseIpAddress": True,
            "ReadOnlyConfig": False,
            "GossipPort": self.gossip_port,
            "StreamingPort": self.streaming_port,
        }


def _given(name: str, secret: SecretStr | None) -> dict[str, str]:
    """Return a setting, nothing without a value."""
    return {} if secret is None else {name: secret.get_secret_value()}
