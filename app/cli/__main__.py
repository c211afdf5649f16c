"""`python -m app.cli` is `connector`."""

from app.cli.program import main

main()
