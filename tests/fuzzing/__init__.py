"""The served API under requests that its own document describes, and under ones that it forbids."""
