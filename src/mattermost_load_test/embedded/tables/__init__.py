"""The tables of the embedded Mattermost, by subject: rows, and indices so that no request has to scan."""
