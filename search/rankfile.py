"""Scoring given pairs of given texts: the production scorer as a filter from files to scores."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from search.ranking import Prepared, Ranker, TermStatistics, Text

_LONGEST_LINE = 1_000_000  # characters; a listing has some thousand


class BadLine(ValueError):
    """A line that cannot be used: its number, counted from 1, and why, in words for people."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"第 {number} 行：{reason}")
        self.number = number
        self.reason = reason


def read_rows(lines: Iterable[str | bytes], keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """JSON objects, one a line, each with a text or whole number under every one of `keys`.

    Empty lines, a byte order mark and further keys are passed over. Raises BadLine at the first
    line that is something else.
    """
    for number, line in enumerate(lines, start=1):
        text = _decoded(number, line).strip().removeprefix("\ufeff")
        if text:
            row = _row(number, text)
            for key in keys:
                if type(row.get(key)) not in (str, int):
                    raise BadLine(number, f"缺少 {key}（应为文字或整数）")
            yield row


def rank_pairs(
    wanted: Iterable[Mapping[str, Any]],
    offered: Iterable[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
    *,
    wanted_key: str,
    offered_key: str,
) -> Iterator[dict[str, str | int | float]]:
    """Score every pair, in order: {wanted_key: …, offered_key: …, "score": 0 … 1}.

    Texts have an `id`, a `title` and a `content`, of which both may be missing or null. Term
    statistics are those of the texts given. Raises BadLine, with the pair's number, for an id
    without a text.
    """
    texts = [{row["id"]: _text(row) for row in rows} for rows in (wanted, offered)]
    ranker = Ranker(TermStatistics.of(text for side in texts for text in side.values()))
    prepared: list[dict[str | int, Prepared]] = [{}, {}]
    for number, pair in enumerate(pairs, start=1):
        sides = []
        for side, key in enumerate((wanted_key, offered_key)):
            text_id = pair[key]
            if text_id not in texts[side]:
                raise BadLine(number, f"{key} {text_id!r} 不在给定的文件中")
            if text_id not in prepared[side]:
                prepared[side][text_id] = ranker.prepare(texts[side][text_id])
            sides.append(prepared[side][text_id])
        score = ranker.score(*sides)
        yield {wanted_key: pair[wanted_key], offered_key: pair[offered_key], "score": score}


def _decoded(number: int, line: str | bytes) -> str:
    if len(line) > _LONGEST_LINE:
        raise BadLine(number, f"超过 {_LONGEST_LINE} 个字符")
    try:
        return line.decode() if isinstance(line, bytes) else line
    except UnicodeDecodeError:
        raise BadLine(number, "不是 UTF-8 编码") from None


def _row(number: int, text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        raise BadLine(number, "不是一个 JSON 对象") from None
    if not isinstance(row, dict):
        raise BadLine(number, "不是一个 JSON 对象")
    return row


def _text(row: Mapping[str, Any]) -> Text:
    return Text(*(str(row.get(key) or "") for key in ("title", "content")))
