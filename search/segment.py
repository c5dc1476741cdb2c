"""Chinese words: jieba's segmentation, run by rjieba (Rust, the same dictionary) where it has a
wheel.

Only runs of ideographs come here, never letters or digits: on those the two differ, and elsewhere
`tests/search/test_segment.py` holds them equal.
"""

import importlib.util
from collections.abc import Callable, Iterable

Cut = Callable[[str, str], Iterable[tuple[str, int, int]]]
"""(ideographs, mode) → (word, start, end), offsets in characters; `DEFAULT` splits, `SEARCH` also
gives the dictionary words inside longer words, each before the word it is part of.
"""

DEFAULT = "default"
SEARCH = "search"


def rjieba_cut() -> Cut:
    """Raises ImportError on a platform without the wheel."""
    import rjieba  # noqa: PLC0415 - absent on some platforms

    cut: Cut = rjieba.tokenize
    return cut


def jieba_cut() -> Cut:
    """The pure Python original: the same words, about twenty times slower, a second to load."""
    import logging  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba 0.42.1 predates raw strings and importlib.resources
        import jieba  # noqa: PLC0415 - loads a second, for platforms without rjieba only

        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
    cut: Cut = jieba.tokenize
    return cut


def best_cut() -> Cut:
    return rjieba_cut() if importlib.util.find_spec("rjieba") else jieba_cut()
