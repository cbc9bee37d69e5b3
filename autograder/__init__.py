"""ecert: grades notebooks by properties, in a sandbox, through nbgrader."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.jupyter import check

__version__ = "0.1.0"
__all__ = ["__version__", "check"]


def __getattr__(name: str) -> Any:
    """`from autograder import check`, in a notebook; whoever does not ask for it does not pay for numpy."""
    if name == "check":
        from autograder.jupyter import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
