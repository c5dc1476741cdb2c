"""Spreadsheet files made by hand: the parts that people's programs write, and faults they do not."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True)
class Raw:
    """A cell as its XML; `{r}` stands for the address."""

    xml: str


def number(value: object, style: int = 0) -> Raw:
    return Raw(f'<c r="{{r}}" s="{style}"><v>{value}</v></c>')


def error(shown: str) -> Raw:
    return Raw(f'<c r="{{r}}" t="e"><v>{shown}</v></c>')


def formula(of: str, stored: str | None, kind: str = "str") -> Raw:
    value = "" if stored is None else f"<v>{escape(stored)}</v>"
    return Raw(f'<c r="{{r}}" t="{kind}"><f>{escape(of)}</f>{value}</c>')


def shared(index: int | str) -> Raw:
    return Raw(f'<c r="{{r}}" t="s"><v>{index}</v></c>')


def letters(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def row(number: int, *cells: str | Raw | None, attributes: str = "") -> str:
    """One row of a sheet; None leaves a cell out."""
    found = []
    for column, cell in enumerate(cells):
        at = f"{letters(column)}{number}"
        if isinstance(cell, Raw):
            found.append(cell.xml.replace("{r}", at))
        elif cell is not None:
            text = f'<t xml:space="preserve">{escape(cell)}</t>'
            found.append(f'<c r="{at}" t="inlineStr"><is>{text}</is></c>')
    return f'<row r="{number}" {attributes}>{"".join(found)}</row>'


def rows(*lines: Sequence[str | Raw | None], start: int = 1) -> str:
    return "".join(row(number, *cells) for number, cells in enumerate(lines, start))


@dataclass(frozen=True)
class Page:
    """One sheet: the XML of its rows, and what stands around them."""

    rows: str
    name: str = "Sheet1"
    merges: Sequence[str] = ()
    before: str = ""
    state: str = ""

    def xml(self) -> str:
        merged = "".join(f'<mergeCell ref="{one}"/>' for one in self.merges)
        after = f'<mergeCells count="{len(self.merges)}">{merged}</mergeCells>' if merged else ""
        return (
            f'{HEAD}<worksheet xmlns="{MAIN}">{self.before}'
            f"<sheetData>{self.rows}</sheetData>{after}</worksheet>"
        )


def styles(*codes: str | int) -> str:
    """Cell styles 1, 2, …: a built-in format's number, or a format's code. 0 is General."""
    own = [code for code in codes if isinstance(code, str)]
    formats = "".join(
        f"<numFmt numFmtId={quoteattr(str(164 + index))} formatCode={quoteattr(code)}/>"
        for index, code in enumerate(own)
    )
    ids = [code if isinstance(code, int) else 164 + own.index(code) for code in codes]
    xfs = "".join(f'<xf numFmtId="{one}"/>' for one in [0, *ids])
    return (
        f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>{xfs}</cellXfs></styleSheet>'
    )


def strings(*items: str) -> str:
    """Shared texts, each the XML within <si>."""
    inner = "".join(f"<si>{item}</si>" for item in items)
    return f'{HEAD}<sst xmlns="{MAIN}">{inner}</sst>'


def parts(
    *pages: Page,
    style: str = "",
    texts: str = "",
    properties: str = "",
    relations: str = "",
    extra: Mapping[str, str | bytes] | None = None,
) -> dict[str, bytes]:
    """The parts of a workbook, by name."""
    listed = "".join(
        f'<sheet name={quoteattr(page.name)} sheetId="{index}" r:id="rId{index}"'
        f"{f' state={quoteattr(page.state)}' if page.state else ''}/>"
        for index, page in enumerate(pages, 1)
    )
    named = "".join(
        f'<Relationship Id="rId{index}" Type="{RELATIONS}/worksheet"'
        f' Target="worksheets/sheet{index}.xml"/>'
        for index in range(1, len(pages) + 1)
    )
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="x"/>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1"'
        f' Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{properties}'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}">{named}{relations}'
        "</Relationships>",
    }
    for index, page in enumerate(pages, 1):
        found[f"xl/worksheets/sheet{index}.xml"] = page.xml()
    if style:
        found["xl/styles.xml"] = style
    if texts:
        found["xl/sharedStrings.xml"] = texts
    found |= extra or {}
    return {name: v if isinstance(v, bytes) else v.encode() for name, v in found.items()}


def packed(files: Mapping[str, bytes | Iterable[bytes]], level: int = 6) -> bytes:
    """A zip archive; a part may be given in blocks, so that a bomb needs no memory to make."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compresslevel=level) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as part:
                for block in [content] if isinstance(content, bytes) else content:
                    part.write(block)
    return out.getvalue()


def book(*pages: Page, **given: object) -> bytes:
    return packed(parts(*pages, **given))  # type: ignore[arg-type]


def lying(data: bytes, name: str, size: int) -> bytes:
    """An archive whose directory states another unpacked size for a part."""
    changed = bytearray(data)
    at = data.rindex(name.encode()) - 46  # the central directory's record
    assert data[at : at + 4] == b"PK\x01\x02"
    changed[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(changed)


def compound(*names: str) -> bytes:
    """The start of a compound file whose directory holds these streams."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return head + b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in names)


def opendocument(table_rows: str, kind: str = "spreadsheet") -> bytes:
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )
    content = (
        f"{HEAD}<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="表一">{table_rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    mimetype = f"application/vnd.oasis.opendocument.{kind}"
    manifest = f'{HEAD}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return packed(
        {
            "mimetype": mimetype.encode(),
            "content.xml": content.encode(),
            "META-INF/manifest.xml": manifest.encode(),
        }
    )


def old_excel(table: Sequence[Sequence[str | float]]) -> bytes:
    """A BIFF8 worksheet (.xls) in a compound file, with texts and numbers."""

    def record(kind: int, data: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def begin(kind: int) -> bytes:
        return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 0x07CC, 0, 6))

    cells = b""
    for y, line in enumerate(table):
        for x, value in enumerate(line):
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                cells += record(0x204, struct.pack("<HHHHB", y, x, 0, len(value), 1) + text)
            else:
                cells += record(0x203, struct.pack("<HHHd", y, x, 0, value))
    width = max(map(len, table))
    sheet = begin(0x10) + record(0x200, struct.pack("<IIHHH", 0, len(table), 0, width, 0))
    sheet += cells + record(0x0A)
    name = "成果".encode("utf-16-le")
    bound = struct.pack("<HBB", 0, 2, 1) + name
    head = begin(0x05) + record(0x42, struct.pack("<H", 1200)) + record(0xE0, bytes(20))
    offset = len(head) + 4 + 4 + len(bound) + 4
    stream = head + record(0x85, struct.pack("<I", offset) + bound) + record(0x0A) + sheet
    return _compound_file(stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0"))


def _compound_file(stream: bytes) -> bytes:
    """A compound file (MS-CFB) with the one stream Workbook, of at least 4096 bytes."""
    sectors = len(stream) // 512
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2 if name else 0, kind, 1)
        rest = struct.pack("<III", free, free, child) + bytes(16) + struct.pack("<I", 0)
        return head + rest + bytes(16) + struct.pack("<IQ", start, size)

    table = [fat, end, *range(3, sectors + 2), end]
    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, len(stream))
    directory += entry("", 0, free, 0, 0) * 2
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<I", 0) + struct.pack("<I", free) * 108
    allocation = b"".join(struct.pack("<I", one) for one in table).ljust(512, b"\xff")
    assert len(allocation) == 512
    return header + allocation + directory + stream
