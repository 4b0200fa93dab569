"""A whole comparison: table after table by as many workers as there are jobs, and on where it was stopped."""
