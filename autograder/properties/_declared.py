"""Claims, mutants, alternatives and twins: what the decorators of an author's file make."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from autograder.comparison import GRADIENT
from autograder.errors import Finding
from autograder.properties._laws import assert_close
from autograder.verdict import Text

# Of values on float32 inputs: a loss may be a small difference of large terms.
IN_SINGLE = GRADIENT._replace(single=(1e-3, 1e-4, 1e-4))

Function = Callable[..., Any]
Given = st.SearchStrategy[Any] | Callable[..., st.SearchStrategy[Any]]


def bilingual(documented: Function) -> Text:
    """The two lines of a docstring: Japanese, then English."""
    lines = inspect.cleandoc(documented.__doc__ or "").splitlines()
    if len(lines) != 2 or lines[0].isascii() or not all(lines):
        raise Finding(
            f"{documented.__module__}.{documented.__name__}: the docstring must be two lines, the first in Japanese, the second in English"
        )
    return Text(*lines)


@dataclass(frozen=True, eq=False)
class Claim:
    """A law of one function. `law(f, **values)` raises AssertionError where `f` breaks it."""

    of: Function
    law: Function
    given: Mapping[str, Given]

    def __post_init__(self) -> None:
        wanted = {"f", *self.given}
        if (found := set(inspect.signature(self.law).parameters)) != wanted:
            raise Finding(f"claim {self.name} must take {', '.join(sorted(wanted))}, not {', '.join(sorted(found))}")

    @property
    def name(self) -> str:
        return self.law.__name__

    @cached_property
    def text(self) -> Text:
        return bilingual(self.law)

    def inputs(self) -> st.SearchStrategy[dict[str, Any]]:
        return _drawn(self.given)


@dataclass(frozen=True, eq=False)
class Mutant:
    """A wrong idea about one function, acted out; its docstring is the hint."""

    of: Function
    act: Function

    def __post_init__(self) -> None:
        if _parameters(self.act) != _parameters(self.of):
            raise Finding(f"{self.name} must have the parameters of {self.of.__name__}: {inspect.signature(self.of)}")

    @property
    def name(self) -> str:
        return self.act.__name__

    @cached_property
    def hint(self) -> Text:
        return bilingual(self.act)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.act(*args, **kwargs)


class Alternative(Mutant):
    """Another right answer, written differently; its docstring says how, in one line."""


@dataclass(frozen=True, eq=False)
class Twin:
    """A function on tensors that must give what its reference twin gives: values, gradients, in every dtype asked for.

    The claims are the engine's, made of nothing but inputs. In a law on tensors, `f(*arrays)` is the value and
    `f.vjp(arrays, cotangents)` are the gradients of Σ cotangent · value for every array of floats among the arguments, in
    their order. Arrays go in and come out: float64 arrays become float64 tensors on the device of the round.
    """

    of: Function
    arguments: Function
    given: Mapping[str, Given]

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        reference = self.of

        def values_agree(f: Any, **drawn: Any) -> None:
            """テンソルで計算しても、同じ入力の numpy 版と同じ値になる(float64 と float32)。
            On tensors the values are those of the same formula on arrays, in float64 and in float32."""
            args = self.arguments(**drawn)
            assert_close(f(*args), f.expected(*args))
            single = tuple(map(_single, args))
            assert_close(f(*single), f.expected(*args), IN_SINGLE)

        def gradients_agree(f: Any, **drawn: Any) -> None:
            """出力に重みを付けて足した和を逆伝播すると、各入力の勾配が正しい(定数とみなす入力では 0)。
            Back-propagating a weighted sum of the outputs gives the right gradient of every input (0 where one is a constant)."""
            args = self.arguments(**drawn)
            assert_close(f.vjp(args), f.expected.vjp(args), GRADIENT)

        laws = []
        for law in (values_agree, gradients_agree):
            law.__name__ = f"{reference.__name__}_{law.__name__}"
            law.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
                [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ("f", *self.given)]
            )
            laws.append(Claim(reference, law, self.given))
        return tuple(laws)


def claim(of: Function, **given: Given) -> Callable[[Function], Claim]:
    """The law below holds of `of` for all values of the strategies given.

    A strategy may depend on values drawn before it: a function whose parameters bear their names.
    """
    return lambda law: Claim(of, law, given)


def mutant(of: Function) -> Callable[[Function], Mutant]:
    """The function below acts out a wrong idea about `of`; its docstring is the hint, Japanese then English."""
    return partial(Mutant, of)


def alternative(of: Function) -> Callable[[Function], Alternative]:
    """The function below is `of`, written differently."""
    return partial(Alternative, of)


def twin(of: Function, **given: Given) -> Callable[[Function], Twin]:
    """`of`, a function on tensors, is called with the arguments that the function below makes of what is drawn."""
    return lambda arguments: Twin(of, arguments, given)


def _single(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_single, value)) if type(value) in (list, tuple) else tuple(map(_single, value))
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def _parameters(function: Function) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@st.composite
def _drawn(draw: st.DrawFn, given: Mapping[str, Given]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, strategy in given.items():
        if not isinstance(strategy, st.SearchStrategy):
            needs = inspect.signature(strategy).parameters
            strategy = strategy(**{n: values[n] for n in needs if n in values})
        values[name] = draw(strategy)
    return values
