"""The routes of the embedded Mattermost, one module per subject; `route_table` puts them together."""
