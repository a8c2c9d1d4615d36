"""A small Mattermost in one process, in memory: the target of demonstrations and of tests."""
