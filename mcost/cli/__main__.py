"""``python -m mcost.cli``."""

from mcost.cli import main

main()
