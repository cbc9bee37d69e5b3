"""Assignments for nbgrader from an author's topic: one language each, the same bytes at every build, and nothing hidden in them."""

from autograder.build._cells import book, parse_source
from autograder.build._faults import faults
from autograder.build._files import figures, files, write
from autograder.build._leaks import leaks
from autograder.build._percent import Cell

__all__ = ["Cell", "book", "faults", "figures", "files", "leaks", "parse_source", "write"]
