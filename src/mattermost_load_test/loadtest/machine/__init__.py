"""What the machine an agent runs on has to give, and how a worker uses it."""
