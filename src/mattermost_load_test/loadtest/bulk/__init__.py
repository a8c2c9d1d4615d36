"""How the population gets onto a server: by which way, what it will cost, how far it is."""
