"""What was verified and what was found: the model, and its forms as JSON, JUnit XML and HTML."""
