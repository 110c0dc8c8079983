"""`python -m gateway.cli` is the program."""

from gateway.cli import main

main()
