"""Where nothing has all of what was typed: which words to do without."""

from collections.abc import Iterator, Sequence

from search.analysis import pairs
from search.parse import Unit
from search.port import SearchEngine

_LEAST_KEPT = 3  # a third of what was typed; with less, other words would have been meant


def relaxations(engine: SearchEngine, units: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
    """What to leave out, more at each step: units that stand nowhere, then those that stand in most
    documents and so tell least. Of equals the later one goes first.

    Raises SearchUnavailable.
    """
    if len(units) < 2:
        return
    frequency = _frequencies(engine, units)
    known = [unit for unit in units if frequency[unit]]
    telling = sorted(known, key=lambda unit: frequency[unit])
    kept = len(telling) if len(telling) < len(units) else _fewer(len(telling))
    while kept >= max(1, -(-len(units) // _LEAST_KEPT)):
        asked = telling[:kept]
        yield tuple(unit for unit in units if unit not in asked)
        kept = _fewer(kept)


def _fewer(number: int) -> int:
    """Half of a long text at a time: each step is a search."""
    return min(number - 1, -(-number // 2))


def _frequencies(engine: SearchEngine, units: Sequence[Unit]) -> dict[Unit, int]:
    """In how many documents at most a unit stands, by its words or, in titles, its characters."""
    schema = engine.schema
    words = {word for unit in units for word in unit.words}
    touching = {unit: pairs(unit.typed) for unit in units}
    by_word = [engine.frequencies(name, words) for name in schema.words_fields]
    grams = {gram for some in touching.values() for gram in some}
    by_gram = [engine.frequencies(name, grams) for name in schema.grams_fields]
    return {
        unit: max(
            0,
            *(min(count[word] for word in unit.words) for count in by_word),
            *(min((count[gram] for gram in touching[unit]), default=0) for count in by_gram),
        )
        for unit in units
    }
