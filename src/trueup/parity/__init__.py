"""Whether two databases are the same: their structure and their data."""
