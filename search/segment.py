"""Chinese words: jieba's segmentation, run by rjieba (Rust, the same dictionary) where it has a
wheel.

Only runs of ideographs come here, never letters or digits: on those the two differ, and elsewhere
`tests/search/test_segment.py` holds them equal.
"""

import importlib.util
from collections.abc import Callable, Iterable
from typing import NamedTuple

DEFAULT = "default"
SEARCH = "search"


class Segmenter(NamedTuple):
    """`cut`: (ideographs, mode) → (word, start, end), offsets in characters. DEFAULT splits; SEARCH
    gives the dictionary words inside a longer word as well, before it. `search_words`: only the
    words of SEARCH, faster.
    """

    cut: Callable[[str, str], Iterable[tuple[str, int, int]]]
    search_words: Callable[[str], list[str]]


def by_rjieba() -> Segmenter:
    """Raises ImportError on a platform without the wheel."""
    import rjieba  # noqa: PLC0415 - absent on some platforms

    return Segmenter(rjieba.tokenize, rjieba.cut_for_search)


def by_jieba() -> Segmenter:
    """The pure Python original: the same words, about twenty times slower, a second to load."""
    import logging  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba 0.42.1 predates raw strings and importlib.resources
        import jieba  # noqa: PLC0415 - loads a second, for platforms without rjieba only

        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
    return Segmenter(jieba.tokenize, jieba.lcut_for_search)


def best() -> Segmenter:
    return by_rjieba() if importlib.util.find_spec("rjieba") else by_jieba()
