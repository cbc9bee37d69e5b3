"""A function with everything of our own modules that it needs, as source that runs anywhere: what a trainee might have written.

The demo's cohort and the benchmarks are made of it: references, alternatives and wrong ideas become cells of a notebook.
"""

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from autograder.errors import Fault

OURS = ("reference", "_hidden")  # packages whose source is taken along; everything else is imported


def source_of(function: Callable[..., Any], name: str) -> str:
    """Source that defines `name` as `function`, and besides it only names that begin with `_`.

    Args:
        function: of a module of ours; a mutant or an alternative stands for the function it decorates.
        name: that a notebook asks for.
    """
    plain = inspect.unwrap(getattr(function, "act", function))
    assert isinstance(plain, FunctionType)
    parts = _Parts()
    parts.add(sys.modules[plain.__module__], plain.__name__)
    body = textwrap.indent("\n\n".join(parts.found.values()), "    ")
    return f"def _{name}():\n{body}\n\n    return {plain.__name__}\n\n\n{name} = _{name}()\n"


class _Parts:
    """Statements by the name that each binds, in an order in which they can be run."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def add(self, module: ModuleType, name: str) -> None:
        """Take along the statement of `module` that binds `name`, after everything that it needs."""
        value = vars(module)[name]
        value = getattr(value, "act", value)
        if name in self._values:
            if self._values[name] is not value and self._values[name] != value:
                raise Fault(f"{name} is one thing in {module.__name__} and another in what needs it")
            return
        self._values[name] = value
        node = _binding(module, name)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            self._follow(node, name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.found[name] = ast.unparse(_alone(node, name))
        else:
            node = _Bare(module, self.add).visit(node)
            for needed in _free_names(node):
                if needed != name and needed in vars(module) and not hasattr(builtins, needed):
                    self.add(module, needed)
            self.found[name] = ast.unparse(ast.fix_missing_locations(node))

    def _follow(self, node: ast.ImportFrom, name: str) -> None:
        """What another module of ours defines, under its name there; a different name here becomes an alias."""
        original = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
        if original != name:
            self.add(sys.modules[str(node.module)], original)
            self.found[name] = f"{name} = {original}"
            return
        del self._values[name]
        self.add(sys.modules[str(node.module)], name)


class _Bare(ast.NodeTransformer):
    """A statement as a trainee would have it: without annotations, docstrings and what our decorators declare.

    `ref.f`, of a module of ours imported whole, becomes `f`.
    """

    def __init__(self, module: ModuleType, add: Callable[[ModuleType, str], None]) -> None:
        self._module, self._add = module, add

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = [d for d in node.decorator_list if not _is_ours(self._module, d)]
        node.returns = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Its methods alone: the fields of a named tuple are nothing without their annotations."""
        node.body = [self.visit(inner) if isinstance(inner, ast.FunctionDef) else inner for inner in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return node if node.value is None else self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        whole = vars(self._module).get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(whole, ModuleType) and whole.__name__.split(".")[0] in OURS:
            self._add(whole, node.attr)
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)


def _alone(node: ast.Import | ast.ImportFrom, name: str) -> ast.stmt:
    """The import of one name out of those that a statement imports."""
    names = [alias for alias in node.names if (alias.asname or alias.name).split(".")[0] == name]
    return ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)


def _binding(module: ModuleType, name: str) -> ast.stmt:
    """The top-level statement that binds `name` last."""
    if (node := _statements(module).get(name)) is not None:
        return deepcopy(node)  # what is taken along is changed on the way
    raise Fault(f"{module.__name__} binds {name} in a way that cannot be taken along")


@cache
def _statements(module: ModuleType) -> dict[str, ast.stmt]:
    return {name: node for node in ast.parse(inspect.getsource(module)).body for name in _bound(node)}


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name))


def _free_names(node: ast.stmt) -> Iterator[str]:
    """Names that a statement reads, in order; those that it binds itself are among them, and are no harm."""
    seen: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and inner.id not in seen:
            seen.add(inner.id)
            yield inner.id


def _is_ours(module: ModuleType, decorator: ast.expr) -> bool:
    """`@mutant(f)` and the like: they declare, and are not part of the function."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    value = vars(module).get(called.id) if isinstance(called, ast.Name) else None
    return getattr(value, "__module__", "").startswith("autograder.properties")
