"""Sessions for every user before a run begins to measure."""
