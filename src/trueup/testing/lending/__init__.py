"""The databases of a run: the server, its templates, and the clones that are lent to tests."""
