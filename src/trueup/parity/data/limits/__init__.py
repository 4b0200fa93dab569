"""What a comparison may cost, and how it ends before its time."""
