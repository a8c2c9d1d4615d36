"""What a run shows and leaves behind, and where each stream of it goes."""
