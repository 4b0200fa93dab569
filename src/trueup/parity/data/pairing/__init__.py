"""What of two databases is held against what: tables, columns and their forms, keys, windows. Does no I/O."""
