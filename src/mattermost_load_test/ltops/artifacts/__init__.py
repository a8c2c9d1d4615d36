"""What `deploy` puts on a cluster, Mattermost and the agent: found by name, brought here, and looked at before use."""
