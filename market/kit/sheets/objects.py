"""JSON lines: one object a line, each held to what a table could say."""

import json
from typing import Any, BinaryIO, Final, NoReturn

from market.kit.sheets.kept import Kept
from market.kit.sheets.lines import clean
from market.kit.sheets.shape import Limits, Shape, Unreadable
from market.kit.sheets.text_lines import NAMES, TextFile

_DEPTH: Final = 32
_DIGITS: Final = 18  # more do not fit what databases count with
_NAMES: Final = 200
_NAME: Final = 100
_SHOWN: Final = 200
_OBJECT: Final = "应为一个完整的JSON对象，即用花括号括起的一组名称和值，"


def convert(stream: BinaryIO, limits: Limits, out: Kept) -> Shape:
    """Write the objects of a file as a normalised one. Raises Unreadable."""
    text = TextFile(stream)
    header: dict[str, None] = {}
    count = 0
    for row, (raw, problem) in enumerate(text.lines(), 1):
        if not raw.strip() and not problem:
            continue
        count += 1
        if count > limits.rows:
            raise Unreadable(f"一次最多导入{limits.rows:,}行，现在更多，请分成几个文件")
        content: object = [clean(raw[:_SHOWN])]
        if not problem:
            try:
                content = given = _object(raw)
                header.update(dict.fromkeys(name for name in given if len(name) <= _NAME))
            except ValueError as error:
                problem = str(error)  # noqa: PLW2901  found on the way
        out.put(row, content, {}, problem)
        if len(header) > _NAMES:
            raise Unreadable(f"各行合起来最多{_NAMES}个名称，现在更多；名称应是各列的标题")
    if not count:
        raise Unreadable("文件里应有要导入的内容，现在没有一行数据")
    return Shape(
        format="jsonl",
        encoding=NAMES[text.encoding],
        delimiter="",
        sheet="",
        other_sheets=(),
        header=tuple(header),
        header_row=0,
        rows=count,
        notes=(),
    )


def _object(raw: str) -> dict[str, Any]:
    """Return the object of one line. Raises ValueError with a sentence."""
    try:
        value = json.loads(
            raw,
            parse_constant=_constant,
            parse_int=_int,
            parse_float=_float,
            object_pairs_hook=_once,
        )
    except _Said as error:
        raise ValueError(str(error)) from None
    except (ValueError, RecursionError):
        raise ValueError(_wrong("这一行读不出来")) from None
    if not isinstance(value, dict):
        raise ValueError(_wrong("现在是别的值"))  # noqa: TRY004  one error for all rows
    if raw.count("[") + raw.count("{") > _DEPTH and _deep(value, _DEPTH):
        raise ValueError(_wrong(f"现在一层套一层，超过{_DEPTH}层"))
    if "\\u0000" in raw and _nul(value):
        raise ValueError(_wrong("里面有空字符（NUL）"))
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError(_wrong("里面有不成对的代理字符")) from None
    return value


class _Said(ValueError):
    """A value that JSON allows and a row does not."""


def _wrong(what: str) -> str:
    return f"{_OBJECT}{what}"


def _constant(name: str) -> NoReturn:
    raise _Said(_wrong(f"{name}不是JSON的数"))


def _int(digits: str) -> int:
    if len(digits.lstrip("-")) > _DIGITS:
        raise _Said(_wrong(f"数最多{_DIGITS}位，长号码请写成文字，即放在引号里"))
    return int(digits)


def _float(text: str) -> float:
    value = float(text)
    if not abs(value) < 10.0**_DIGITS:
        raise _Said(_wrong(f"数最多{_DIGITS}位，长号码请写成文字，即放在引号里"))
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Said(_wrong(f"“{name[:20]}”应只有一个，现在有两个"))
        found[name] = value
    return found


def _deep(value: Any, left: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if not left:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(_deep(one, left - 1) for one in inner)


def _nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_nul, value)) or any(map(_nul, value.values()))
    return isinstance(value, list) and any(map(_nul, value))
