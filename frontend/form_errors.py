"""One error of a form's field as a sentence for people."""

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from market.kit.validation import ECHO
from market.kit.validation import sentence as plain

__all__ = ["ECHO", "sentence"]


def sentence(error: ErrorDetails, info: FieldInfo | None) -> str:
    """Return the sentence; a pattern's field says in its `description` what it should be."""
    return plain(error, expected=info.description or "" if info is not None else "")
