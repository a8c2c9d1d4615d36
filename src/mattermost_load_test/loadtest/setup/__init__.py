"""Making a server ready for a run, from whatever it was before, and putting back what was changed on it."""
