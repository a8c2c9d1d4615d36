"""The history of channels, as `loadposts` writes it."""
