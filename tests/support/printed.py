"""Reads a PDF back: its text, and the fonts that are embedded in it."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools.pens.areaPen import AreaPen
from fontTools.ttLib import TTFont
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


def inks(pdf: bytes) -> set[int]:
    """Return how much ink the first glyph of each embedded font has, in thousandths of an em²: the
    name is that of the variable font's default instance, whichever weight was drawn.
    """
    found = set()
    for page in PdfReader(BytesIO(pdf)).pages:
        for one in page["/Resources"]["/Font"].values():
            for part in one.get_object()["/DescendantFonts"]:
                file = part.get_object()["/FontDescriptor"].get_object()["/FontFile2"]
                glyphs = TTFont(BytesIO(file.get_object().get_data())).getGlyphSet()
                found.add(_ink(glyphs, "glyph00001"))
    return found


def inks_at(font: Path, char: str, weights: Sequence[int]) -> set[int]:
    """As `inks`, of a character at several weights of a variable font."""
    read = TTFont(font)
    name = read.getBestCmap()[ord(char)]
    return {_ink(read.getGlyphSet(location={"wght": one}), name) for one in weights}


def _ink(glyphs: Any, name: str) -> int:
    pen = AreaPen(glyphs)
    glyphs[name].draw(pen)
    return round(abs(pen.value) / 1000)


def _name(font: Any) -> str:
    descriptor = font["/FontDescriptor"].get_object()
    assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
    return str(descriptor["/FontName"]).lstrip("/").partition("+")[2]
