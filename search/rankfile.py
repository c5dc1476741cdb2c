"""Scoring given pairs of given texts: the production scorer as a filter from files to scores."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from search.analysis import well_formed
from search.feedback import LEVELS, Feedback, Judgement
from search.ranking import Prepared, Ranker, TermStatistics, Text

_LONGEST_LINE = 1_000_000  # characters; a listing has some thousand


class BadLine(ValueError):
    """A line that cannot be used: its number, counted from 1, and why, in words for people."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"第 {number} 行：{reason}")
        self.number = number
        self.reason = reason


class Row(dict[str, Any]):
    """A row that knows its line."""

    def __init__(self, values: Mapping[str, Any], number: int) -> None:
        super().__init__(values)
        self.number = number


def read_rows(lines: Iterable[str | bytes], keys: Iterable[str]) -> Iterator[Row]:
    """JSON objects, one a line, each with a text or whole number under every one of `keys`.

    Empty lines, a byte order mark and further keys are passed over. Raises BadLine at the first
    line that is something else.
    """
    for number, line in enumerate(lines, start=1):
        text = _decoded(number, line).strip().removeprefix("\ufeff")
        if text:
            row = _row(number, text)
            for key in keys:
                value = row.get(key)
                if type(value) not in (str, int):
                    raise BadLine(number, f"缺少 {key}（应为文字或整数）")
                if isinstance(value, str) and not well_formed(value):  # nor could it be written
                    raise BadLine(number, f"{key} 里有不成字的编码")
            yield Row(row, number)


_Id = str | int


def rank_pairs(
    wanted: Iterable[Mapping[str, Any]],
    offered: Iterable[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
    *,
    wanted_key: str,
    offered_key: str,
    feedback: Iterable[Mapping[str, Any]] = (),
) -> Iterator[dict[str, str | int | float]]:
    """Score every pair, in order: {wanted_key: …, offered_key: …, "score": 0 … 1}.

    Texts have an `id`, a `title` and a `content`, of which both may be missing or null. Term
    statistics are those of the texts given. `feedback` are pairs with a `level` (1 … 4) that were
    judged before; it moves scores by at most `search.feedback.BOUND`, so out of 0 … 1 as well. A
    judgement moves the other pairs of its wanted text and of nearly equal ones, not its own; of two
    on one pair the later counts. Raises BadLine, with the line's number, for an id without a text
    and for another level.
    """
    market = _Texts(wanted, offered, wanted_key, offered_key)
    lessons = market.lessons(feedback)
    told: dict[_Id, Feedback] = {}
    for number, pair in enumerate(pairs, start=1):
        left, right = market.prepared(_line(pair, number), pair)
        score = market.ranker.score(left, right)
        if lessons:
            asked, answer = pair[wanted_key], pair[offered_key]
            if asked not in told:
                told[asked] = market.feedback(asked, lessons)
            score += told[asked].change(answer, right)
        yield {wanted_key: pair[wanted_key], offered_key: pair[offered_key], "score": score}


def _line(row: Mapping[str, Any], count: int) -> int:
    """The line of a row that was read, or else how many rows there were."""
    return row.number if isinstance(row, Row) else count


_Lessons = dict[_Id, dict[_Id, Judgement]]


class _Texts:
    """The texts of both sides by id, each prepared when it is first asked for."""

    def __init__(
        self,
        wanted: Iterable[Mapping[str, Any]],
        offered: Iterable[Mapping[str, Any]],
        *keys: str,
    ) -> None:
        self._keys: Final = keys
        self._texts = [{row["id"]: _text(row) for row in rows} for rows in (wanted, offered)]
        self.ranker = Ranker(TermStatistics.of(chain(*(side.values() for side in self._texts))))
        self._prepared: list[dict[_Id, Prepared]] = [{}, {}]

    def prepared(self, number: int, pair: Mapping[str, Any]) -> list[Prepared]:
        return [self._side(side, pair[key], number) for side, key in enumerate(self._keys)]

    def lessons(self, feedback: Iterable[Mapping[str, Any]]) -> _Lessons:
        found: _Lessons = defaultdict(dict)
        for count, row in enumerate(feedback, start=1):
            number = _line(row, count)
            if type(row["level"]) is not int or row["level"] not in LEVELS:
                raise BadLine(number, f"level 应为1到4的整数，现在是 {row['level']!r}")
            left, right = self.prepared(number, row)
            key = row[self._keys[1]]
            score = self.ranker.score(left, right)
            found[row[self._keys[0]]][key] = Judgement(key, right, row["level"], score)
        return dict(found)

    def feedback(self, asked: _Id, lessons: _Lessons) -> Feedback:
        own = lessons.get(asked, {}).values()
        others = (
            (self._prepared[0][one], judged.values())
            for one, judged in lessons.items()
            if one != asked
        )
        return Feedback(self._prepared[0][asked], own, others)

    def _side(self, side: int, text_id: _Id, number: int) -> Prepared:
        prepared = self._prepared[side]
        if text_id not in prepared:
            if text_id not in self._texts[side]:
                raise BadLine(number, f"{self._keys[side]} {text_id!r} 不在给定的文件中")
            prepared[text_id] = self.ranker.prepare(self._texts[side][text_id])
        return prepared[text_id]


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
