"""Speaking to a Mattermost server of any version, over REST and websocket."""
