"""Which characters a text may hold, and which are taken out of it. The one place that decides.

- Refused, because a database, the index or an exported file cannot hold them, or because nobody
  could see what was typed: control characters but tab and line ends, lone surrogates,
  noncharacters, heaps of combining marks.
- Taken out of every text: the controls of writing direction. Right-to-left scripts are laid out
  by their letters alone; a control left in a name turns the sentence around it.
- Taken out of a text of one line: what takes no room (zero-width space, byte order mark, tag
  characters), so that two names that look alike are alike; line ends become spaces. The joiners
  that build emoji stay.
"""

import re
import unicodedata

MARKS_IN_A_ROW = 8
"""Combining marks on one letter; Tibetan and phonetic spellings need up to five."""

_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NO_ROOM = re.compile("[\u00ad\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_LINE_ENDS = re.compile("[\t\n\r\u2028\u2029]+")
_PLAIN = re.compile(r"[\t\n\r -~·×°‘’“”…、-】\u4e00-\u9fff！-～]*")
"""What nearly all texts are written with: all of it storable, no mark among it."""
_KEPT_CONTROLS = frozenset("\t\n\r")
_PLANE_END = 0xFFFE


def is_storable(letter: str) -> bool:
    """Tell whether both databases, the index and a spreadsheet keep a letter."""
    if letter in _KEPT_CONTROLS:
        return True
    category = unicodedata.category(letter)
    if category != "Cn":
        return category not in ("Cc", "Cs")
    point = ord(letter)
    return point & _PLANE_END != _PLANE_END and not 0xFDD0 <= point <= 0xFDEF


def problem(text: str) -> str | None:
    """Return what cannot be kept of a text as a sentence without subject, or None."""
    if _PLAIN.fullmatch(text):
        return None
    marks = 0
    for place, letter in enumerate(text, start=1):
        if " " <= letter < "\x7f" or "\u4e00" <= letter <= "\u9fff":
            marks = 0
            continue
        if not is_storable(letter):
            return f"第{place}个字是看不见的控制字符，不能保存，请删去后重新输入"
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks > MARKS_IN_A_ROW:
            return f"第{place}个字上叠加的符号太多，请删去后重新输入"
    return None


def clean(text: str) -> str:
    """Return a text without controls of direction."""
    return _DIRECTION.sub("", text)


def one_line(text: str) -> str:
    """Return a text of one line as it is kept."""
    return _LINE_ENDS.sub(" ", _NO_ROOM.sub("", clean(text)))
