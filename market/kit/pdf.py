"""Printed papers: a typst source and its data become a PDF with a Chinese font of its own.

The font comes from a pinned package, never from the machine, so that a paper looks the same
everywhere and its text can be read back. Data reach the source as JSON (`sys.inputs.data`), never
as source: what a person typed cannot become markup.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typst

FONT: Final = "Noto Sans SC"
MEDIA_TYPE: Final = "application/pdf"
_PREAMBLE: Final = f"""
#let data = json(bytes(sys.inputs.data))
#set page(paper: "a4", margin: (x: 20mm, y: 22mm), numbering: "1 / 1")
#set text(font: "{FONT}", lang: "zh", region: "cn", size: 10pt)
#set par(leading: 0.8em)
#set table(stroke: 0.5pt + luma(60%), inset: (x: 6pt, y: 5pt))
#show heading: set block(above: 1.4em, below: 0.8em)
"""


def folder() -> Path:
    """Return where the font is: one variable file, of which typst draws the weight asked for."""
    return Path(str(files("justmytype_intl_cjk") / "fonts" / "ofl" / "notosanssc"))


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[folder()])


def render(source: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """Return the PDF of a typst source that reads `data`, dated `at`.

    The same source, data and moment give the same bytes.
    """
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    return typst.compile(
        (_PREAMBLE + source).encode(),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs=inputs,
        timestamp=int(at.timestamp()),
    )
