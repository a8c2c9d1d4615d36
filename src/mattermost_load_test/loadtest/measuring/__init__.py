"""What the entities of an agent did, counted in bounded memory."""
