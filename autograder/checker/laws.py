"""One evaluation of a law, and what may come of it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import numpy as np

from autograder.draws import Values
from autograder.properties import Broken, Claim
from autograder.verdict import Text

BROKEN = Text("この性質は成り立ちません", "the law does not hold")


class Unanswered(Exception):
    """There is no usable answer to a call that the law made."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class NotRecorded(BaseException):
    """The law made a call that does not lie ready, where none may be made. No Exception: no law may catch it."""


class Lawless(Exception):
    """A law raised what no law may raise: its author's fault, never the trainee's."""


def broken(claim: Claim, f: Any, values: Values) -> Text | None:
    """Why the claim does not hold of `f` for these values, if so.

    Raises:
        Lawless: where the law itself fails.
    """
    try:
        copy_context().run(claim.law, f, **values)  # what one law meets in float32 is nothing to the next
    except Broken as e:
        return e.text
    except Unanswered as e:
        return e.why
    except AssertionError as e:
        return Text(f"{BROKEN.ja}: {e}", f"{BROKEN.en}: {e}") if str(e) else BROKEN
    except Exception as e:
        raise Lawless(f"{claim.name}: {type(e).__name__}: {e}") from e
    return None


@contextmanager
def quiet() -> Iterator[None]:
    """Laws calculate with whatever was returned: numpy's warnings about it are nobody's business."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
