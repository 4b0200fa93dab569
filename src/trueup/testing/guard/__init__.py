"""What tests may reach, and what they leave behind."""
