"""Draws the public examples of a topic from its claims: their inputs and the reference's answers, never the claims."""

import inspect
from collections.abc import Callable
from typing import Any

from autograder.course import Topic
from autograder.draws import Draws
from autograder.errors import Finding
from autograder.examples import Example, dumps, line, plain

MOST = 8  # of a function
LONGEST = 6_000  # characters of one
DRAWN = 12  # inputs of each claim, the same for everybody: only a round's seed is secret


def text(topic: Topic) -> str:
    """The file beside the notebook."""
    return dumps(topic.name, {function: examples(topic, function) for function in topic.functions})


def examples(topic: Topic, function: str) -> list[Example]:
    """A few calls that the claims about a function make, the shortest first.

    Raises:
        Finding: where a claim does not hold of the reference, or all calls are too large to travel.
    """
    asked = _Asked(topic, function)
    for number, claim in enumerate(topic.claims(function)):
        try:
            _draw(claim, asked, number)
        except Exception as e:  # an author's code may raise anything
            raise Finding(
                f"{topic.folder / 'hidden/properties.py'}: {claim.name} on the reference: {type(e).__name__}: {e}"
            ) from e
    by_text = {text: example for example in asked.examples if len(text := line(example)) <= LONGEST}
    ordered = [by_text[text] for text in sorted(by_text, key=lambda text: (len(text), text))]
    if not ordered:
        raise Finding(
            f"{topic.folder / 'hidden/properties.py'}: no claim about {function} makes a call of under {LONGEST} characters"
        )
    # The shortest are often all zeros: take the rest at even distances, up to the middle sizes.
    half = max(len(ordered) // 2, min(len(ordered), MOST))
    return [ordered[round(i * (half - 1) / (MOST - 1))] for i in range(MOST)] if half >= MOST else ordered[:half]


class _Asked:
    """Stands for `f` in a claim: answers as the reference does, and remembers."""

    def __init__(self, topic: Topic, function: str) -> None:
        self.examples: list[Example] = []
        self._reference = topic.reference(function)
        self._signature = inspect.signature(self._reference)
        self._ask = _on_tensors if topic.on_tensors(function) else _on_arrays

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        if kwargs:
            bound.apply_defaults()
        return self._answer(bound.args, False)

    def vjp(self, arguments: tuple[Any, ...]) -> Any:
        return self._answer(tuple(arguments), True)

    @property
    def expected(self) -> "_Asked":
        return self

    def _answer(self, arguments: tuple[Any, ...], gradients: bool) -> Any:
        kept = plain(arguments)
        answer = self._ask(self._reference, arguments, gradients)
        self.examples.append(Example(kept, plain(answer), gradients))
        return answer


def _on_arrays(function: Callable[..., Any], arguments: tuple[Any, ...], _: bool) -> Any:
    return function(*arguments)


def _on_tensors(function: Callable[..., Any], arguments: tuple[Any, ...], gradients: bool) -> Any:
    from autograder.inside import tensors

    return tensors.ask(function, arguments, gradients)


def _draw(claim: Any, asked: _Asked, number: int) -> None:
    """Evaluate a claim on a dozen inputs that depend on nothing but its number."""
    draws = Draws(claim)
    for i in range(DRAWN if claim.given else 1):
        claim.law(asked, **draws.example(f"public/{number}", i))
