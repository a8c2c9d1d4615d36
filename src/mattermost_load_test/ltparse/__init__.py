"""Reading results logs: `ltparse`."""
