"""The agent: it fills a server, plays user entities against it and records every request."""
