"""The command line: `connector`. A command loads only what it needs, so that `--help` answers at once."""

from app.cli.program import main, program

__all__ = ["main", "program"]
