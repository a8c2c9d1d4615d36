"""Benchmarks of the agent, each beside a peer in one run; see docs/performance.md for how to run and read them."""
