"""Infrastructure: clusters that carry a Mattermost server and the agents that load it."""
