"""`python -m autograder` is `ecert`."""

from autograder.cli import main

main()
