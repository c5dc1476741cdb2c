"""Files that are refused whole, each with its sentence."""

import io
import os
import random
import zipfile
from collections.abc import Iterator

from tests.market.kit.sheets.cases import Case, H
from tests.support.sheetfiles import (
    MAIN,
    Page,
    Raw,
    book,
    compound,
    lying,
    opendocument,
    packed,
    parts,
    row,
    rows,
    strings,
)

A = ("石墨烯电池", "甲大学", "80")
WANTED = "文件应是表格（xlsx、xls、ods、csv）或JSON行（jsonl）"
DAMAGED = "文件不完整或已损坏，应是能用Excel打开的文件；请重新保存后再上传"
DOCTYPE = "文件里有XML文档类型声明，普通的表格没有；请用Excel另存为新的xlsx"
BOMB = "文件解开后有{}MB，应在{}MB以内；请只留要导入的表，另存为新的xlsx"
NO_TABLE = "文件里应有一张带表头的表，表头在前20行之内；现在没有找到表头或没有内容"
NO_ROWS = "表头下面应有要导入的内容，现在没有一行数据"
HTML = "文件其实是网页（HTML）表格；请用Excel打开，另存为xlsx再上传"
PASSWORD = "文件有密码，应不加密；请在Excel里去掉密码、保存后再上传"
SHEET = "xl/worksheets/sheet1.xml"


def _zeros(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield b" " * (1 << 20)


def _with(part: str, content: bytes, **given: str) -> bytes:
    return packed(parts(Page(rows(H, A)), **given) | {part: content})


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><sst xmlns="{MAIN}"><si><t>&a9;</t></si></sst>'.encode()


def _outside() -> bytes:
    return (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b"<worksheet><sheetData><row><c><v>&e;</v></c></row></sheetData></worksheet>"
    )


def _encrypted_part() -> bytes:
    data = bytearray(book(Page(rows(H, A))))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/workbook.xml"))
    data[at + 8] |= 1
    return bytes(data)


def _many_parts() -> bytes:
    out = io.BytesIO(book(Page(rows(H, A))))
    with zipfile.ZipFile(out, "a") as archive:
        for index in range(20_001):
            archive.writestr(f"x{index}", "")
    return out.getvalue()


def _wrong_bytes() -> bytes:
    """A part whose packed bytes are noise."""
    data = bytearray(book(Page(rows(H, A))))
    at = data.index(SHEET.encode()) + len(SHEET)
    data[at : at + 60] = random.Random(4).randbytes(60)
    return bytes(data)


REFUSED = [
    Case("nothing", "a.xlsx", lambda: b"", refused=f"{WANTED}，现在是空的"),
    Case("only blanks", "a.csv", lambda: b"\xef\xbb\xbf \r\n\r\n", refused=f"{WANTED}，现在是空的"),
    Case("only zeros", "a.csv", lambda: bytes(9999), refused=f"{WANTED}，现在是空的"),
    Case(
        "noise",
        "a.csv",
        lambda: b"\x00" + random.Random(1).randbytes(9999),
        refused="文字编码应为UTF-8、GBK或UTF-16，现在都读不出；请另存为UTF-8的csv再上传",
    ),
    Case(
        "a PDF called xlsx", "a.xlsx", lambda: b"%PDF-1.7 ...", refused=f"{WANTED}，现在其实是PDF"
    ),
    Case(
        "a picture", "a.xlsx", lambda: b"\x89PNG\r\n\x1a\n....", refused=f"{WANTED}，现在其实是图片"
    ),
    Case(
        "web page called xls",
        "a.xls",
        lambda: "<html><table><tr><td>成果名称".encode("gbk"),
        refused=HTML,
    ),
    Case(
        "web table called xlsx",
        "a.xlsx",
        lambda: b"\xff\xfe" + "<table>".encode("utf-16-le"),
        refused=HTML,
    ),
    Case(
        "Excel's XML of 2003",
        "a.xls",
        lambda: b'\n<?xml version="1.0"?><Workbook/>',
        refused="文件其实是XML；请用Excel打开，另存为xlsx再上传",
    ),
    Case(
        "a JSON array",
        "a.json",
        lambda: b'[\n {"title": 1}]',
        refused="JSON应是一行一个对象（jsonl），现在整个文件是一个数组；请改成一行一个",
    ),
    Case(
        "JSON lines with hundreds of names",
        "a.jsonl",
        lambda: "\n".join(f'{{"n{i}":1}}' for i in range(300)).encode(),
        refused="各行合起来最多200个名称，现在更多；名称应是各列的标题",
    ),
    Case(
        "an archive of files",
        "a.xlsx",
        lambda: packed({"a.xlsx": book(Page(rows(H, A)))}),
        refused=f"{WANTED}，现在其实是压缩包；请解压后上传里面的表格",
    ),
    Case(
        "a Word document",
        "a.xlsx",
        lambda: packed({"[Content_Types].xml": b"x", "word/document.xml": b"x"}),
        refused=f"{WANTED}，现在其实是Word文档；请把表格复制到Excel里另存",
    ),
    Case(
        "a binary workbook",
        "a.xlsb",
        lambda: packed({"[Content_Types].xml": b"x", "xl/workbook.bin": b"x"}),
        refused="二进制的xlsb格式读不了，应是xlsx；请用Excel另存为xlsx再上传",
    ),
    Case(
        "an OpenDocument text",
        "a.ods",
        lambda: opendocument("", "text"),
        refused=f"{WANTED}，现在其实是别的OpenDocument文档",
    ),
    Case(
        "a password",
        "a.xlsx",
        lambda: compound("EncryptionInfo", "EncryptedPackage"),
        refused=PASSWORD,
    ),
    Case(
        "an old Word document",
        "a.xls",
        lambda: compound("WordDocument"),
        refused=f"{WANTED}，现在其实是Word文档；请把表格复制到Excel里另存",
    ),
    Case(
        "an old workbook cut short",
        "a.xls",
        lambda: compound("Workbook"),
        refused="文件不完整或已损坏，应是能用Excel打开的文件；请另存为xlsx再上传",
    ),
    Case(
        "a part with a password",
        "a.xlsx",
        _encrypted_part,
        refused="文件有密码，应不加密；请去掉密码后再上传",
    ),
    Case("cut short", "a.xlsx", lambda: book(Page(rows(H, A)))[:-100], refused=DAMAGED),
    Case("a part of noise", "a.xlsx", _wrong_bytes, refused=DAMAGED),
    Case(
        "a directory that states too little",
        "a.xlsx",
        lambda: lying(_with(SHEET, b" " * 99_999), SHEET, 50),
        refused=DAMAGED,
    ),
    Case(
        "a directory that states too much",
        "a.xlsx",
        lambda: lying(_with(SHEET, b" " * 99_999), SHEET, 1 << 23),
        refused=DAMAGED,
    ),
    Case(
        "XML cut short",
        "a.xlsx",
        lambda: _with(SHEET, Page(rows(H, A)).xml().encode()[:-40]),
        refused=DAMAGED,
    ),
    Case(
        "no workbook within",
        "a.xlsx",
        lambda: packed({"[Content_Types].xml": b"x"}),
        refused="文件应是xlsx表格，现在里面没有工作簿；请用Excel另存为xlsx",
    ),
    Case("no sheet", "a.xlsx", book, refused="文件里应有一张工作表，现在没有"),
    Case("an empty sheet", "a.xlsx", lambda: book(Page("")), refused=NO_TABLE),
    Case("only figures", "a.csv", lambda: b"1,2\n3,4\n", refused=NO_TABLE),
    Case("only a header", "a.xlsx", lambda: book(Page(rows(H))), refused=NO_ROWS),
    Case(
        "only a header and remarks",
        "a.xlsx",
        lambda: book(Page(rows(H, ("备注：无",)))),
        refused=NO_ROWS,
    ),
    Case(
        "16,384 columns",
        "a.xlsx",
        lambda: book(Page(rows(("成果名称", *(f"列{n}" for n in range(16_383))), ("甲",)))),
        refused="一张表最多500列，现在是16,384列；请删去多余的列",
    ),
    Case(
        "a cell that cannot be",
        "a.xlsx",
        lambda: book(Page(rows(H, (Raw('<c r="XFE1"><v>1</v></c>'),)))),
        refused="文件里有不存在的格（行号或列号不对），应是Excel保存的表格；请另存后再上传",
    ),
    Case(
        "rows in disorder",
        "a.xlsx",
        lambda: book(Page(row(5, *H) + row(2, *A))),
        refused="文件里的行号不对，应由小到大；请用Excel另存后再上传",
    ),
    Case(
        "200,001 rows",
        "a.csv",
        lambda: b"\xe6\x88\x90\xe6\x9e\x9c\xe5\x90\x8d\xe7\xa7\xb0,x\n" + b"a,b\n" * 200_001,
        refused="一次最多导入200,000行，现在更多，请分成几个文件",
    ),
    Case(
        "entities that multiply",
        "a.xlsx",
        lambda: _with("xl/sharedStrings.xml", _laughs()),
        refused=DOCTYPE,
    ),
    Case(
        "an entity that fetches a file", "a.xlsx", lambda: _with(SHEET, _outside()), refused=DOCTYPE
    ),
    Case(
        "20,001 parts",
        "a.xlsx",
        _many_parts,
        refused="文件里有20,006个部分，应不超过20,000个；请另存为新的xlsx",
    ),
    Case(
        "a part that unpacks a thousandfold",
        "a.xlsx",
        lambda: packed(parts(Page(rows(H, A))) | {SHEET: _zeros(64)}),
        refused=BOMB.format(64, 16),
    ),
    Case(
        "shared texts that unpack a thousandfold",
        "a.xlsx",
        lambda: packed(
            parts(Page(rows(H, A)), texts=strings("x")) | {"xl/sharedStrings.xml": _zeros(32)}
        ),
        refused=BOMB.format(32, 16),
    ),
    Case(
        "an attribute of many megabytes",
        "a.xlsx",
        lambda: _with(SHEET, b'<worksheet x="' + os.urandom(1 << 16).hex().encode() * 60 + b'"/>'),
        refused=DAMAGED,
    ),
    Case(
        "300,001 merged ranges",
        "a.xlsx",
        lambda: book(Page(rows(H, A), merges=[f"A{n}:A{n + 1}" for n in range(3, 600_005, 2)])),
        refused="合并的单元格应不超过300,000处，现在更多；请取消合并再上传",
    ),
]
