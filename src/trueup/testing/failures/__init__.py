"""What a failed test shows: its statements, what it changed, who held it up, and its database."""
