"""One table of both sides, or a segment of it, read from the whole down to the rows and columns that differ."""
