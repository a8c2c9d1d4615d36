"""The load-testing toolkit for Mattermost: `ltops`, `loadtest` and `ltparse`."""

from importlib.metadata import version

__version__ = version("mattermost-load-test")
