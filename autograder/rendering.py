"""A verdict as a person reads it: text for a terminal, HTML for JupyterLab, formgrader and feedback.

Safe by construction: every string passes `inert` on its way out, markup is made here alone, and there is neither script,
style sheet nor link. Colours are JupyterLab's where it defines them (light or dark), and never the only sign.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from autograder.untrusted import escaped, inert
from autograder.verdict import ClaimVerdict, Counterexample, FunctionVerdict, Status, SubmissionVerdict, Text

STATUS = {
    Status.PASSED: Text("合格", "passed"),
    Status.FAILED: Text("不合格", "not right yet"),
    Status.RAISED: Text("例外が発生", "raised an exception"),
    Status.TIMEOUT: Text("時間切れ", "ran out of time"),
    Status.MEMORY: Text("メモリ超過", "ran out of memory"),
    Status.CRASHED: Text("異常終了", "died"),
    Status.MISSING: Text("未解答", "not there yet"),
    Status.GRADER_ERROR: Text("採点側の不具合(未採点)", "a fault of the grader (not graded)"),
}
LABEL = {
    "points": Text("点", "points"),
    "holds": Text("成り立つ", "holds"),
    "broken": Text("成り立たない", "does not hold"),
    "smallest": Text("見つかった最小の入力", "The smallest input found"),
    "call": Text("呼び出し", "The call"),
    "got": Text("あなたの答え", "Your answer"),
    "expected": Text("期待される答え", "Expected"),
    "idea": Text("ヒント", "A hint"),
    "traceback": Text("エラーの場所", "Where it happened"),
    "notes": Text("お知らせ", "Notes"),
    "claims": Text("調べた性質", "What was checked"),
    "shape": Text("形", "shape"),
    "total": Text("合計", "Total"),
    "ungraded": Text("未採点", "not graded"),
}
EDGE = {
    Status.PASSED: "var(--jp-success-color1,#1a7f37)",
    Status.MISSING: "var(--jp-warn-color1,#9a6700)",
    Status.GRADER_ERROR: "var(--jp-warn-color1,#9a6700)",
}
RED = "var(--jp-error-color1,#c62828)"
BOX = (
    "border-left:4px solid {edge};padding:.5em .9em;margin:.3em 0;border-radius:3px;line-height:1.6;"
    "background:var(--jp-layout-color1,#fff);color:var(--jp-content-font-color1,#1f2328);"
    "font-family:var(--jp-content-font-family,system-ui,sans-serif)"
)
CELL = "padding:.1em .5em;text-align:right;border:1px solid var(--jp-border-color2,#d0d7de);font-family:monospace"
DIFFERS = f"{CELL};color:{RED};font-weight:bold;text-decoration:underline"
PRE = "margin:.2em 0;white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;color:inherit;background:transparent"


def function_text(verdict: FunctionVerdict, lang: str, color: bool = False) -> str:
    """One function for a terminal, with ANSI colours where asked."""
    mark = "✓" if verdict.status is Status.PASSED else "✗"
    head = f"{mark} {inert(verdict.function)}  {STATUS[verdict.status][lang]}  {_points(verdict, lang)}".rstrip()
    if color:
        head = f"\x1b[{32 if verdict.status is Status.PASSED else 31}m{head}\x1b[0m"
    return "\n".join([head, *("  " + line for line in _details(verdict, lang))])


def submission_text(verdict: SubmissionVerdict, lang: str, color: bool = False) -> str:
    """A whole submission for a terminal: functions, notes, the sum."""
    parts = [function_text(function, lang, color) for function in verdict.functions]
    if verdict.notes:
        parts.append(LABEL["notes"][lang] + "\n" + "\n".join(f"  · {inert(note[lang])}" for note in verdict.notes))
    total = LABEL["ungraded"][lang] if verdict.points is None else f"{verdict.points:g} / {verdict.out_of:g}"
    return "\n\n".join([*parts, f"{LABEL['total'][lang]}: {total}"])


def function_html(verdict: FunctionVerdict, lang: str, notes: Sequence[Text] = ()) -> str:
    """One function as HTML: what it earned, each claim, and where one does not hold the counterexample and the wrong idea."""
    passed = verdict.status is Status.PASSED
    edge = EDGE.get(verdict.status, RED)
    parts = [
        f'<div lang="{lang}" style="{BOX.format(edge=edge)}">'
        f'<div><strong style="color:{edge}">{"✓" if passed else "✗"} {STATUS[verdict.status][lang]}</strong> '
        f"<code>{escaped(verdict.function)}</code> {_points(verdict, lang)}</div>"
    ]
    if verdict.why:
        parts.append(f"<div>{escaped(verdict.why[lang])}</div>")
    if verdict.traceback:
        parts.append(
            f'<div>{LABEL["traceback"][lang]}</div><pre style="{PRE}">{escaped(verdict.traceback, lines=True)}</pre>'
        )
    if broken := verdict.failed:
        parts.append(_broken_html(broken, lang))
    if verdict.idea:
        parts.append(f"<div><strong>{LABEL['idea'][lang]}:</strong> {escaped(verdict.idea.hint[lang])}</div>")
    if verdict.claims:
        rows = "".join(_claim_html(claim, lang) for claim in verdict.claims)
        held = sum(claim.passed for claim in verdict.claims)
        parts.append(
            f"<details><summary>{LABEL['claims'][lang]}: {held} / {len(verdict.claims)}</summary>"
            f'<ul style="margin:.2em 0;padding-left:1.2em;list-style:none">{rows}</ul></details>'
        )
    if notes:
        items = "".join(f"<li>{escaped(note[lang])}</li>" for note in notes)
        parts.append(f'<div>{LABEL["notes"][lang]}</div><ul style="margin:.2em 0">{items}</ul>')
    return "".join(parts) + "</div>"


def _points(verdict: FunctionVerdict, lang: str) -> str:
    if verdict.out_of == 0:  # a check that grades nothing
        return ""
    earned = LABEL["ungraded"][lang] if verdict.points is None else f"{verdict.points:g} / {verdict.out_of:g}"
    return f"{earned} {LABEL['points'][lang]}"


def _details(verdict: FunctionVerdict, lang: str) -> Iterator[str]:
    if verdict.why:
        yield inert(verdict.why[lang])
    if verdict.traceback:
        yield from inert(verdict.traceback, lines=True).splitlines()
    if broken := verdict.failed:
        yield f"✗ {inert(broken.text[lang])}"
        if broken.why:
            yield f"  {inert(broken.why[lang])}"
        if broken.counterexample:
            yield from _example_text(broken.counterexample, lang)
    if verdict.idea:
        yield f"{LABEL['idea'][lang]}: {inert(verdict.idea.hint[lang])}"
    for claim in verdict.claims:
        if not claim.passed and claim is not verdict.failed:
            yield f"✗ {inert(claim.text[lang])}"


def _example_text(example: Counterexample, lang: str) -> Iterator[str]:
    for title, values in _parts(example):
        yield f"  {LABEL[title][lang]}:"
        for name, value in values.items():
            head = f"{inert(name)} = " if name else ""
            first, *rest = value_text(value).splitlines() or [""]
            yield from [f"    {head}{first}", *(f"    {' ' * _width(head)}{line}" for line in rest)]


def _parts(example: Counterexample) -> Iterator[tuple[str, Any]]:
    """What is shown of a counterexample, in order: the call that was answered wrongly says more than what it was drawn from."""
    if example.call is not None:
        yield "call", dict(example.call)
    else:
        yield "smallest", dict(example.inputs)
    if example.got is not None:
        yield "got", {"": example.got}
    if example.expected is not None:
        yield "expected", {"": example.expected}


def _broken_html(claim: ClaimVerdict, lang: str) -> str:
    why = f" <em>{escaped(claim.why[lang])}</em>" if claim.why else ""
    head = f'<div><strong style="color:{RED}">✗</strong> {escaped(claim.text[lang])}{why}</div>'
    return head + (_example_html(claim.counterexample, lang) if claim.counterexample else "")


def _example_html(example: Counterexample, lang: str) -> str:
    rows = []
    marked = _differing(example.got, example.expected)
    for title, values in _parts(example):
        marks = marked if title in ("got", "expected") else frozenset()
        shown = "".join(
            f'<div style="margin:.15em 1em .15em 0;display:inline-block;vertical-align:top">'
            f"{f'<code>{escaped(name)}</code> = ' if name else ''}{value_html(value, marks)}</div>"
            for name, value in values.items()
        )
        rows.append(f"<div><strong>{LABEL[title][lang]}</strong></div><div>{shown}</div>")
    return f"<details open><summary>{LABEL['smallest'][lang]}</summary>{''.join(rows)}</details>"


def _claim_html(claim: ClaimVerdict, lang: str) -> str:
    color, mark, word = (EDGE[Status.PASSED], "✓", "holds") if claim.passed else (RED, "✗", "broken")
    return (
        f'<li><span style="color:{color}" title="{LABEL[word][lang]}">{mark}</span> '
        f"{escaped(claim.text[lang])} <code>{escaped(claim.name)}</code></li>"
    )


# Values, in the form that `shown` gives them: plain JSON, arrays as {"array": nested lists, "shape": …, "dtype": …}.


def value_text(value: Any) -> str:
    """A value on as few lines as can be read: an array's rows one below the other, in nested brackets."""
    if not isinstance(value, dict):
        return f"[{', '.join(map(value_text, value))}]" if isinstance(value, list) else _scalar(value)
    if "array" in value:
        return _array_text(value)
    if "tuple" in value:
        parts = list(map(value_text, value["tuple"]))
        return f"({', '.join(parts)})" if all("\n" not in p for p in parts) else "\n".join(parts)
    if "dict" in value:
        return "{" + ", ".join(f"{value_text(k)}: {value_text(v)}" for k, v in value["dict"]) + "}"
    return _scalar(value.get("float", value.get("text", "")))


def value_html(value: Any, marks: frozenset[tuple[int, ...]] = frozenset()) -> str:
    """A value as HTML: a matrix is a table, and entries whose place is marked stand out."""
    if isinstance(value, dict) and "tuple" in value:
        each = (value_html(part, _below(marks, i)) for i, part in enumerate(value["tuple"]))
        return "".join(f'<div style="margin:.1em 0">{part}</div>' for part in each)
    if (
        not isinstance(value, dict)
        or value.get("array") is None
        or not 1 <= len(value["shape"]) <= 2
        or 0 in value["shape"]
    ):
        shown = escaped(value_text(value), lines=True)
        bold = f"color:{RED};font-weight:bold;text-decoration:underline" if marks else "color:inherit"
        return f'<pre style="{PRE};display:inline-block;{bold}">{shown}</pre>'
    rows = value["array"] if len(value["shape"]) == 2 else [value["array"]]
    flat = len(value["shape"]) == 1
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{DIFFERS if ((j,) if flat else (i, j)) in marks else CELL}">{escaped(_scalar(entry))}</td>'
            for j, entry in enumerate(row)
        )
        + "</tr>"
        for i, row in enumerate(rows)
    )
    return f'<table style="border-collapse:collapse;display:inline-table;margin:.1em 0"><tbody>{body}</tbody></table>'


def _array_text(value: dict[str, Any]) -> str:
    shape, entries = value["shape"], value["array"]
    if entries is None:
        return f"<{value['dtype']} {tuple(shape)}>"
    if 0 in shape:
        return f"[] {tuple(shape)}"
    if len(shape) == 0:
        return _scalar(entries)
    if len(shape) == 1:
        return f"[{', '.join(map(_scalar, entries))}]"
    if len(shape) == 2:
        cells = [[_scalar(entry) for entry in row] for row in entries]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        rows = (", ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
        return "[[" + "],\n [".join(rows) + "]]"
    blocks = (_array_text({"array": block, "shape": shape[1:]}) for block in entries)
    return "[" + ",\n ".join(block.replace("\n", "\n ") for block in blocks) + "]"


def _scalar(value: Any) -> str:
    if isinstance(value, dict):
        return value_text(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return inert(value if isinstance(value, str) else repr(value))


def _differing(got: Any, expected: Any, at: tuple[int, ...] = ()) -> frozenset[tuple[int, ...]]:
    """Places of the entries that differ, where both are numbers in the same form."""
    a, b = (v.get("array", v.get("tuple")) if isinstance(v, dict) else v for v in (got, expected))
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return frozenset()
        return frozenset().union(*(_differing(x, y, (*at, i)) for i, (x, y) in enumerate(zip(a, b, strict=True))))
    if isinstance(a, int | float) and isinstance(b, int | float):
        return frozenset() if math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) else frozenset([at])
    return frozenset() if a == b else frozenset([at])


def _below(marks: frozenset[tuple[int, ...]], first: int) -> frozenset[tuple[int, ...]]:
    return frozenset(mark[1:] for mark in marks if mark[:1] == (first,))


def _width(text: str) -> int:
    """Columns in a terminal: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
