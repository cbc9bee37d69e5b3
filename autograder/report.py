"""The cohort's report: one self-contained HTML page without script, fit to be read, printed and kept."""

from collections.abc import Iterable, Iterator, Sequence

from autograder.cohort import FunctionSums, Mistake, TopicSums
from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing
from autograder.rendering import STATUS
from autograder.stats import histogram, quantile
from autograder.untrusted import escaped
from autograder.verdict import Status, Text

BINS = 10
NAMES = 40  # students named in one list; more are counted

SAY = {
    "title": Text("採点の報告", "Grading report"),
    "errors": Text("採点側の不具合", "Errors of the grader"),
    "errors_why": Text(
        "次の関数は未採点のままです。受講者の点は減っていません。直した後、ecert grade をもう一度実行してください。",
        "These functions are left ungraded; nobody lost points. Mend the cause and run ecert grade again.",
    ),
    "no_errors": Text("採点側の不具合はありません。", "The grader met no error of its own."),
    "overview": Text("概要", "Overview"),
    "topic": Text("課題", "Assignment"),
    "graded": Text("採点済み", "Graded"),
    "ungraded": Text("未採点", "Not graded"),
    "median": Text("中央値", "Median"),
    "quartiles": Text("四分位", "Quartiles"),
    "full": Text("満点", "Full marks"),
    "zero": Text("0点", "Zero"),
    "scores": Text("得点の分布", "Distribution of scores"),
    "students": Text("人数", "How many"),
    "points": Text("点", "points"),
    "success": Text("関数ごとの合格率(線は95%信頼区間、Wilson)", "Success by function (line: 95 % interval, Wilson)"),
    "function": Text("関数", "Function"),
    "passed": Text("合格", "Passed"),
    "interval": Text("95%区間", "95 % interval"),
    "others": Text("そのほかの結果", "Otherwise"),
    "ideas": Text("よくある誤解", "Wrong ideas, by frequency"),
    "no_ideas": Text("名前の付く誤解は見つかりませんでした。", "No wrong idea could be named."),
    "unnamed": Text(
        "誤解を特定できなかった誤り(最初に成り立たなかった性質)",
        "Mistakes without a name (the claim that failed first)",
    ),
    "hint": Text("ヒント", "Hint"),
    "claim": Text("性質", "Claim"),
    "who": Text("受講者", "Students"),
    "look": Text("見てほしい提出物", "Who needs a look"),
    "no_look": Text("特に見る必要のある提出物はありません。", "No submission asks for a look."),
    "reason": Text("理由", "Why"),
    "command": Text("詳しくは", "Details"),
    "more": Text("ほか", "and others:"),
    "automatic": Text(
        "点は自動採点によるもので、手動採点と遅延の減点は含みません(それらは ecert export にあります)。",
        "Points are those of automatic grading, before marks by hand and late penalties (ecert export has those).",
    ),
}

STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--dim:#57606a;--edge:#d0d7de;--paper:#fff;--soft:#f6f8fa;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--edge:#3d444d;--paper:#0d1117;--soft:#151b23;--bad:#ff8a80}}
body{margin:0 auto;max-width:62rem;padding:1.5rem;background:var(--paper);color:var(--ink);line-height:1.6;
font-family:system-ui,"Noto Sans CJK JP","Noto Sans JP","Hiragino Sans","Yu Gothic",sans-serif}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--edge)}h3{font-size:1rem;margin-top:1.6rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--edge)}
th{color:var(--dim);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td{overflow-wrap:anywhere}td>code{overflow-wrap:normal;white-space:nowrap}code{font-size:.9em}.dim{color:var(--dim)}.bad{border-left:4px solid var(--bad);padding:.2rem 1rem;background:var(--soft)}
figure{margin:.8rem 0}figure svg{max-width:100%;height:auto;border-radius:6px}
@media print{body{max-width:none}h2{break-after:avoid}tr,figure{break-inside:avoid}}
"""


def page(course: str, topics: Sequence[TopicSums], lang: str) -> str:
    """The whole page. What anybody but us wrote is escaped; nothing is loaded and nothing runs."""
    title = f"{escaped(course)} — {SAY['title'][lang]}"
    body = "".join(
        (*_errors(topics, lang), *_overview(topics, lang), *_looks(topics, lang), *(_topic(t, lang) for t in topics))
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>{body}</body></html>\n"
    )


def _errors(topics: Sequence[TopicSums], lang: str) -> Iterator[str]:
    found = [error for topic in topics for error in topic.errors]
    if not found:
        yield f'<p class="dim">{SAY["no_errors"][lang]}</p>'
        return
    rows = ((_code(e.topic), _code(e.function), escaped(e.why[lang]), _names(e.students, lang)) for e in found)
    head = tuple(SAY[k][lang] for k in ("topic", "function", "reason", "who"))
    yield f'<section class="bad"><h2>{SAY["errors"][lang]}</h2><p>{SAY["errors_why"][lang]}</p>{_table(head, rows)}</section>'


def _overview(topics: Sequence[TopicSums], lang: str) -> Iterator[str]:
    def row(topic: TopicSums) -> tuple[str, ...]:
        scores = list(topic.scores.values())
        low, middle, high = (f"{quantile(scores, q):g}" if scores else "–" for q in (0.25, 0.5, 0.75))
        full, zero = sum(s >= topic.out_of for s in scores), sum(s <= 0 for s in scores)
        link = f'<a href="#{topic.name}">{escaped(topic.title[lang])}</a> {_code(topic.name)}'
        return (
            link,
            str(len(scores)),
            str(len(topic.ungraded)),
            f"{middle} / {topic.out_of:g}",
            f"{low} – {high}",
            str(full),
            str(zero),
        )

    head = tuple(SAY[k][lang] for k in ("topic", "graded", "ungraded", "median", "quartiles", "full", "zero"))
    yield f"<h2>{SAY['overview'][lang]}</h2>{_table(head, map(row, topics), numbers=6)}"
    yield f'<p class="dim">{SAY["automatic"][lang]}</p>'


def _looks(topics: Sequence[TopicSums], lang: str) -> Iterator[str]:
    yield f"<h2>{SAY['look'][lang]}</h2>"
    looks = [look for topic in topics for look in topic.looks]
    if not looks:
        yield f"<p>{SAY['no_look'][lang]}</p>"
        return
    rows = (
        (escaped(look.student), _code(look.topic), "<br>".join(escaped(reason[lang]) for reason in look.reasons))
        for look in sorted(looks, key=lambda look: (look.student, look.topic))
    )
    yield _table(tuple(SAY[k][lang] for k in ("who", "topic", "reason")), rows)
    yield f'<p class="dim">{SAY["command"][lang]}: <code>ecert show STUDENT TOPIC</code></p>'


def _topic(topic: TopicSums, lang: str) -> str:
    parts = [
        f'<h2 id="{escaped(topic.name)}">{escaped(topic.title[lang])}</h2>',
        f"<h3>{SAY['scores'][lang]}</h3><figure>{_distribution(topic, lang)}</figure>",
        f"<h3>{SAY['success'][lang]}</h3><figure>{_success(topic.functions, lang)}</figure>",
        _table(
            tuple(SAY[k][lang] for k in ("function", "passed", "interval", "others")),
            (_function_row(f, lang) for f in topic.functions),
        ),
        f"<h3>{SAY['ideas'][lang]}</h3>",
        _mistakes(topic.functions, "ideas", "hint", lang) or f"<p>{SAY['no_ideas'][lang]}</p>",
    ]
    if unnamed := _mistakes(topic.functions, "unnamed", "claim", lang):
        parts += [f"<h3>{SAY['unnamed'][lang]}</h3>", unnamed]
    return "".join(parts)


def _function_row(f: FunctionSums, lang: str) -> tuple[str, ...]:
    others = ", ".join(f"{STATUS[s][lang]} {n}" for s, n in sorted(f.statuses.items()) if s is not Status.PASSED)
    low, high = f.success
    return _code(f.name), f"{f.passed} / {f.judged}", f"{low:.0%} – {high:.0%}", others


def _mistakes(functions: Iterable[FunctionSums], kind: str, says: str, lang: str) -> str:
    """A table of what went wrong, the most frequent first; empty where nothing did."""
    found: list[tuple[FunctionSums, Mistake]] = [(f, m) for f in functions for m in getattr(f, kind)]
    if not found:
        return ""
    rows = (
        (str(len(m.students)), _code(f.name), f"{_code(m.name)}<br>{escaped(m.text[lang])}", _names(m.students, lang))
        for f, m in sorted(found, key=lambda each: (-len(each[1].students), each[0].name, each[1].name))
    )
    head = (SAY["students"][lang], SAY["function"][lang], SAY[says][lang], SAY["who"][lang])
    return _table(head, rows)


def _distribution(topic: TopicSums, lang: str) -> str:
    """A histogram of the scores, the median marked."""
    counts = histogram([min(s, topic.out_of) for s in topic.scores.values()], topic.out_of, BINS)
    left, base, width, height, most = 50, 180, 560, 140, max((*counts, 1))
    drawing = Drawing(640, 220, SAY["scores"][lang])
    step = width / BINS
    for i, n in enumerate(counts):
        tall = height * n / most
        if n:
            drawing.box(left + i * step + 2, base - tall, step - 4, tall, color=BLUE)
            drawing.text(left + (i + 0.5) * step, base - tall - 5, str(n), size=12)
    drawing.line([(left, base), (left + width, base)])
    for i in range(0, BINS + 1, 2):
        drawing.text(left + i * step, base + 16, f"{topic.out_of * i / BINS:g}", size=12)
    drawing.text(left + width, base + 34, SAY["points"][lang], GREY, 12, "end")
    if topic.scores:
        middle = quantile(list(topic.scores.values()), 0.5)
        at = left + width * middle / topic.out_of
        drawing.line([(at, base), (at, base - height - 16)], RED, dashed=True)
        drawing.text(min(at, left + width - 40), base - height - 22, f"{SAY['median'][lang]} {middle:g}", RED, 12)
    return drawing.svg()


def _success(functions: Sequence[FunctionSums], lang: str) -> str:
    """A bar for each function, its interval as a line."""
    row, left, width = 28, 230, 340
    drawing = Drawing(640, row * len(functions) + 40, SAY["success"][lang])
    for i, f in enumerate(functions):
        y = 10 + i * row
        share = f.passed / f.judged if f.judged else 0
        drawing.text(left - 10, y + 16, f.name, size=12, anchor="end")
        drawing.box(left, y + 4, width, 16, color=GREY)
        if share:
            drawing.box(left, y + 4, width * share, 16, color=GREEN)
        low, high = (left + width * end for end in f.success)
        drawing.line([(low, y + 12), (high, y + 12)], INK, width=2)
        for end in (low, high):
            drawing.line([(end, y + 7), (end, y + 17)], INK, width=2)
        drawing.text(left + width + 12, y + 16, f"{f.passed}/{f.judged}", size=12, anchor="start")
    base = 10 + row * len(functions)
    for share in (0, 0.5, 1):
        drawing.text(left + width * share, base + 16, f"{share:.0%}", GREY, 12)
    return drawing.svg()


def _names(students: Sequence[str], lang: str) -> str:
    more = f" {SAY['more'][lang]} {len(students) - NAMES}" if len(students) > NAMES else ""
    return ", ".join(escaped(s, 80) for s in students[:NAMES]) + more


def _code(name: str) -> str:
    return f"<code>{escaped(name)}</code>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A table of cells that are HTML already; the last `numbers` columns are numbers."""
    kinds = [' class="n"' if i >= len(head) - numbers else "" for i in range(len(head))]
    top = "".join(f"<th{kind}>{cell}</th>" for kind, cell in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
