"""The processes of an agent: each plays a share of the entities; the parent, which forked them, hears what they do."""
