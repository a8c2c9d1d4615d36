"""What people see: one report format per file, and the live view."""
