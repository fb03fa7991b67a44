"""`python -m umbel` is the same as the command `umbel`, for places where scripts are not on the path."""

from umbel.cli import main

main(prog_name="umbel")
