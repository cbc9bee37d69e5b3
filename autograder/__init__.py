"""ecert: grades notebooks by properties, in a sandbox, through nbgrader."""

__version__ = "0.1.0"
