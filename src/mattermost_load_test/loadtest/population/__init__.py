"""Who and what exists on a server under test: pure, seeded, the same on every machine."""
