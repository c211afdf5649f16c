"""A mail server that keeps everything it is given, for people and tests to read."""
