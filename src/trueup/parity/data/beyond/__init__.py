"""What a comparison of rows leaves out: sequences, and the rows that foreign keys point to."""
