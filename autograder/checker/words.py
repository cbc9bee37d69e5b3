"""What a trainee reads about a function that could not be judged, or about her notebook: what happened, and what to do."""

from collections.abc import Iterable, Sequence

from autograder.course import Limits
from autograder.sandbox import Notice
from autograder.verdict import Status, Text

FORM = Text(
    "どの呼び出しも、決められた形の値(個数・種類・形・有限の数)を返す。",
    "Every call returns a value of the form asked for: how many parts, of which kind and shape, finite.",
)
UNCHANGED = Text(
    "呼び出しの後も、渡された入力は元のままである。",
    "The inputs are after the call what they were before it.",
)
TWICE = Text(
    "同じ入力には、いつでも(順番を変えても、別のプロセスでも)同じ答えを返す。",
    "The same input has the same answer every time: in another order, and in another process.",
)
CHANGED_WHY = Text(
    "渡された配列が書き換えられました。書き換える前に copy() で写しを作りましょう",
    "an array that was passed in has been changed; make a copy() before writing into it",
)
TWICE_WHY = Text(
    "同じ入力でもう一度呼ぶと、違う答えが返りました。乱数や、前の呼び出しで変わる変数に頼っていないか確かめましょう",
    "asked again with the same input, it gave another answer; look for random numbers, and for variables that an earlier call changed",
)
STUB = Text(
    "まだ書かれていません。セルの raise NotImplementedError を自分のコードに置き換えましょう。",
    "Not written yet: replace the `raise NotImplementedError` of its cell by your own code.",
)
RAISED = Text("呼び出しの途中で例外が発生しました: {}", "A call raised an exception: {}")
GRADER = Text(
    "採点側の不具合のため、この関数は未採点です。あなたの点は失われません。教員に知らせてください。",
    "A fault of the grader: this function is left ungraded and costs you nothing. Please tell your instructor.",
)
SINGLE = Text(
    "{}: float32 で計算された答えは、float32 の許容誤差で比べました。",
    "{}: answers computed in float32 were compared within the tolerance of float32.",
)
MISSING = Text(
    "この名前の関数が見つかりません。名前を確かめ、カーネルを再起動して全セルを実行しましょう(定義の前にエラーで止まったセルがあれば、お知らせに出ています)。",
    "No function of this name was found. Check the name, restart the kernel and run all cells (a cell that stopped with an error before the definition is named in the notes).",
)
CRASHED = Text(
    "実行中のプロセスが終了しました。os._exit() や exit()、深すぎる再帰、C の部分を壊す操作がないか確かめましょう。",
    "The process died while it ran. Look for os._exit() or exit(), for a recursion without end, and for whatever may break code in C.",
)

_NOTICES = {
    "raised": Text(
        "セル {n} は例外で止まりました({text})。それより前の定義と、他のセルは採点に使われています。",
        "Cell {n} stopped with an exception ({text}). What it defined before, and all other cells, count.",
    ),
    "syntax": Text(
        "セル {n} は Python として読めず、飛ばされました({text})。",
        "Cell {n} is not valid Python and was skipped ({text}).",
    ),
    "timeout": Text(
        "セル {n} は {seconds:g} 秒で終わらず、打ち切られました。",
        "Cell {n} did not end within {seconds:g} seconds and was stopped.",
    ),
    "exit": Text("セル {n} の exit は無視されました。", "The exit in cell {n} was ignored."),
    "crashed": Text(
        "セル {n} の実行中にプロセスが終了したため、飛ばされました。", "Cell {n} ended the process and was skipped."
    ),
    "skipped_line": Text(
        "セル {n} の IPython 専用の行({text})は実行されません。",
        "Lines for IPython alone are not run: cell {n} ({text}).",
    ),
    "missing_module": Text(
        "セル {n} が import するモジュールは採点環境にありません({text})。",
        "Cell {n} imports a module that is not there when it is graded ({text}).",
    ),
}
_OTHER = Text("セル {n}: {text}", "Cell {n}: {text}")
MOST_NOTES = 20


def filled(text: Text, *values: object) -> Text:
    """The text with its gaps filled, in both languages."""
    return Text(text.ja.format(*values), text.en.format(*values))


def died(status: Status, limits: Limits) -> Text:
    """A function of which nothing came back."""
    if status is Status.TIMEOUT:
        return Text(
            f"時間切れです(1 回の呼び出しは {limits.call_seconds:g} 秒、関数全体で {limits.function_seconds:g} 秒まで)。終わらないループがないか確かめましょう。",
            f"It ran out of time ({limits.call_seconds:g} s for a call, {limits.function_seconds:g} s for the function). Look for a loop that does not end.",
        )
    if status is Status.MEMORY:
        return Text(
            f"使えるメモリ({limits.memory_mb} MB)を超えました。大きくなり続ける配列がないか確かめましょう。",
            f"It asked for more memory than there is ({limits.memory_mb} MB). Look for an array that keeps growing.",
        )
    return MISSING if status is Status.MISSING else CRASHED


def notes(notices: Sequence[Notice], limits: Limits) -> Iterable[Text]:
    """What the trainee should know about her cells; it cost nothing."""
    for notice in notices[:MOST_NOTES]:
        text = _NOTICES.get(notice.kind, _OTHER)
        said = notice.text.strip()[:200]
        yield Text(*(each.format(n=notice.cell, text=said or "…", seconds=limits.cell_seconds) for each in text))
    if (more := len(notices) - MOST_NOTES) > 0:
        yield Text(f"お知らせがほかに {more} 件あります。", f"{more} more notes.")
