"""`python -m kerasrecipes.cli` is the same as `kerasrecipes`."""

from kerasrecipes.cli.main import main

main(prog_name="kerasrecipes")
