"""What an engine is given: one document, and what stays behind when it is deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Document:
    """One searchable document.

    `id` is positive and below 2**63, `version` grows with every change of the document's content.
    `texts`, `facets` and `numbers` are keyed by fields of the schema; a field without a value is
    simply absent. Text is raw: engines index what `analysis` makes of it and do not store it.
    """

    id: int
    version: int
    texts: Mapping[str, str] = field(default_factory=dict)
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deletion:
    """That a document is gone as of `version`: a later write of an older version stays without
    effect.
    """

    id: int
    version: int


def newest(changes: Iterable[Document | Deletion]) -> dict[int, Document | Deletion]:
    """The change of the highest version of each id; of equal ones the last."""
    found: dict[int, Document | Deletion] = {}
    for change in changes:
        if change.id not in found or change.version >= found[change.id].version:
            found[change.id] = change
    return found
