"""pydantic's error types as Chinese sentences: what it should be, what it is now."""

from collections.abc import Callable, Mapping
from typing import Any

ECHO = 20  # characters of what was typed that a message repeats

_Ctx = dict[str, Any]
_SENTENCES: dict[str, Callable[[_Ctx, str], str]] = {
    "missing": lambda _c, _v: "必须填写，现在是空的",
    "string_type": lambda _c, _v: "应为文字",
    "string_too_short": lambda c, v: f"至少{c['min_length']}个字，现在是{len(v)}个字",
    "string_too_long": lambda c, v: f"最多{c['max_length']}个字，现在是{len(v)}个字",
    "int_type": lambda _c, v: f"应为整数，现在是“{v[:ECHO]}”",
    "int_parsing": lambda _c, v: f"应为整数，现在是“{v[:ECHO]}”",
    "int_parsing_size": lambda _c, v: f"数字太大，现在是“{v[:ECHO]}”",
    "int_from_float": lambda _c, v: f"应为整数，现在是“{v[:ECHO]}”",
    "float_parsing": lambda _c, v: f"应为数字，现在是“{v[:ECHO]}”",
    "decimal_parsing": lambda _c, v: f"应为数字，现在是“{v[:ECHO]}”",
    "finite_number": lambda _c, v: f"应为数字，现在是“{v[:ECHO]}”",
    "greater_than_equal": lambda c, v: f"应不小于{c['ge']}，现在是{v[:ECHO]}",
    "greater_than": lambda c, v: f"应大于{c['gt']}，现在是{v[:ECHO]}",
    "less_than_equal": lambda c, v: f"应不大于{c['le']}，现在是{v[:ECHO]}",
    "less_than": lambda c, v: f"应小于{c['lt']}，现在是{v[:ECHO]}",
    "bool_type": lambda _c, _v: "应勾选或不勾选，请重新选择",
    "bool_parsing": lambda _c, _v: "应勾选或不勾选，请重新选择",
    "enum": lambda _c, v: f"应从给出的选项里选，现在是“{v[:ECHO]}”",
    "literal_error": lambda _c, v: f"应从给出的选项里选，现在是“{v[:ECHO]}”",
    "too_short": lambda c, _v: f"至少选{c['min_length']}项，现在是{c['actual_length']}项",
    "too_long": lambda c, _v: f"最多选{c['max_length']}项，现在是{c['actual_length']}项",
    "date_parsing": lambda _c, v: f"应写成2026-11-20的样子，现在是“{v[:ECHO]}”",
    "date_from_datetime_parsing": lambda _c, v: f"应写成2026-11-20的样子，现在是“{v[:ECHO]}”",
    "date_from_datetime_inexact": lambda _c, v: f"应写成2026-11-20的样子，现在是“{v[:ECHO]}”",
    "date_type": lambda _c, v: f"应写成2026-11-20的样子，现在是“{v[:ECHO]}”",
    "extra_forbidden": lambda _c, _v: "没有这一项，请去掉",
    "json_invalid": lambda _c, _v: "应为完整的JSON，现在读不出来",
    "list_type": lambda _c, _v: "应为一组值",
    "model_attributes_type": lambda _c, _v: "应为一个JSON对象，即用花括号括起的一组名称和值",
    "string_unicode": lambda _c, _v: "含有无法保存的字符，请删去后重填",
    "value_error": lambda c, _v: _own(str(c["error"])),
}


def _own(text: str) -> str:
    """Return the words of a validator of ours; the framework has one of its own, for files."""
    return "应为一个文件" if text.startswith("Expected UploadFile") else text


def sentence(error: Mapping[str, Any], *, expected: str = "", echo: bool = True) -> str:
    """Return the sentence for one of pydantic's errors.

    A pattern has no words of its own: `expected` says what it should be (“16位数字”). Without
    `echo` nothing of the input is repeated: it may be a password, and it may be a program's.
    """
    kind = error["type"]
    typed = str(error.get("input", "")) if echo else ""
    now = f"，现在是“{typed[:ECHO]}”" if echo else ""
    if kind == "string_pattern_mismatch" and expected:
        return f"应为{expected}{now}"
    if kind in _SENTENCES:
        text = _SENTENCES[kind](error.get("ctx", {}), typed)
        return text if echo else text.partition("，现在是")[0]
    return f"不能识别，请改写（{kind}）{now}"
