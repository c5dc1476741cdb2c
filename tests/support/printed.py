"""Reads a PDF back: its text, and the fonts that are embedded in it."""

from io import BytesIO
from typing import Any

from pypdf import PdfReader


def text(pdf: bytes) -> str:
    """Return the text of all pages, without the line breaks of the layout."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def fonts(pdf: bytes) -> set[str]:
    """Return the names of the fonts whose outlines the file carries, without their subset's tag."""
    found = set()
    for page in PdfReader(BytesIO(pdf)).pages:
        for one in page["/Resources"]["/Font"].values():
            found |= {_name(part.get_object()) for part in one.get_object()["/DescendantFonts"]}
    return found


def _name(font: Any) -> str:
    descriptor = font["/FontDescriptor"].get_object()
    assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
    return str(descriptor["/FontName"]).lstrip("/").partition("+")[2]
