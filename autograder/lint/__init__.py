"""The author's check: every fault of a topic at once, each with its place and what to do."""

from autograder.lint._report import Fault, FunctionReport, MutantReport, Report
from autograder.lint._run import check

__all__ = ["Fault", "FunctionReport", "MutantReport", "Report", "check"]
