"""The server's own host: running the command line that Mattermost brings along, here or over SSH."""
