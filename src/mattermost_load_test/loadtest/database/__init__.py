"""Straight into Mattermost's own database: posts, users and their members, and the table of running agents.

Everything here is synchronous and is called by way of `asyncio.to_thread`. Nothing is written to a database unless the
configuration names one in `DataSource`.
"""
