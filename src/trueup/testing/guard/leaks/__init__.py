"""What tests leave behind: found at the end of the test, told with where it was opened, and ended."""
