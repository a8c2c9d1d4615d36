"""The configuration: what `loadtestconfig.json` and the environment say, checked and typed.

`load` finds, reads and checks the file; `Configuration` and its sections are what the other parts are handed.
An attribute is named as its key in snake case: ``NumActiveEntities`` is ``configuration.entities.num_active_entities``.
Raises `ConfigurationError` only, with every problem and its place in one message.
"""

from mattermost_load_test.config.gathering import Flag
from mattermost_load_test.config.loading import CONFIGURATION_FILE, LoadedConfiguration, current_folder, find, load
from mattermost_load_test.config.models import (
    Configuration,
    ConnectionConfiguration,
    EnvironmentConfiguration,
    LogSettings,
    ResultsConfiguration,
    UserEntitiesConfiguration,
)
from mattermost_load_test.config.redaction import redacted, whole
from mattermost_load_test.config.values import MAX_PROCESSES, Section

__all__ = [
    "CONFIGURATION_FILE",
    "MAX_PROCESSES",
    "Configuration",
    "ConnectionConfiguration",
    "EnvironmentConfiguration",
    "Flag",
    "LoadedConfiguration",
    "LogSettings",
    "ResultsConfiguration",
    "Section",
    "UserEntitiesConfiguration",
    "current_folder",
    "find",
    "load",
    "redacted",
    "whole",
]
