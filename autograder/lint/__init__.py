"""The author's check: every fault of a topic at once, each with its place and what to do."""

from autograder.lint._report import Fault, FunctionReport, MutantReport, Report
from autograder.lint._run import check
from autograder.lint._skeleton import new_topic
from autograder.lint._solve import solve

__all__ = ["Fault", "FunctionReport", "MutantReport", "Report", "check", "new_topic", "solve"]
