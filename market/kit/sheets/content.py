"""What a file is, by its first bytes: the ending is what somebody called it."""

import re
from pathlib import PurePath
from typing import BinaryIO, Final

from market.kit.sheets.packed import Packed
from market.kit.sheets.shape import Limits, Unreadable

_WANTED: Final = "应是表格（xlsx、xls、ods、csv）或JSON行（jsonl）"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_LOOK: Final = 4 << 20
_NAMED: Final = {
    b"%PDF": "PDF",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"\x1f\x8b": "压缩包",
    b"BM": "图片",
}
_ENDINGS: Final = {
    "xlsx": (".xlsx", ".xlsm", ".xltx", ".xltm"),
    "xls": (".xls", ".xlt", ".et"),
    "ods": (".ods",),
    "csv": (".csv", ".tsv", ".txt", ".tab"),
    "jsonl": (".jsonl", ".ndjson", ".json"),
}


def kind_of(stream: BinaryIO, limits: Limits) -> str:
    """Return xlsx, xls, ods, csv or jsonl. Raises Unreadable for anything else."""
    stream.seek(0)
    head = stream.read(4096)
    if not head.strip(b"\0 \r\n\t\xef\xbb\xbf"):
        raise Unreadable(f"文件{_WANTED}，现在是空的")
    if head.startswith(b"PK"):
        return _packed(Packed(stream, limits))
    if head.startswith(_OLE):
        return _compound(head + stream.read(_OLE_LOOK))
    for mark, name in _NAMED.items():
        if head.startswith(mark) and (mark != b"BM" or b"\0" in head):
            raise Unreadable(f"文件{_WANTED}，现在其实是{name}")
    return _text(head)


def _packed(packed: Packed) -> str:
    names = packed.names
    if "xl/workbook.bin" in names:
        raise Unreadable("二进制的xlsb格式读不了，应是xlsx；请用Excel另存为xlsx再上传")
    if "[Content_Types].xml" in names:
        if any(name.startswith("word/") for name in names):
            raise Unreadable(f"文件{_WANTED}，现在其实是Word文档；请把表格复制到Excel里另存")
        if any(name.startswith("ppt/") for name in names):
            raise Unreadable(f"文件{_WANTED}，现在其实是演示文稿")
        return "xlsx"
    if "mimetype" in names and "content.xml" in names:
        said = b"".join(packed.blocks("mimetype"))[:100]
        if b"opendocument.spreadsheet" not in said:
            raise Unreadable(f"文件{_WANTED}，现在其实是别的OpenDocument文档")
        for name in names & {"content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"}:
            packed.check(name)
        return "ods"
    raise Unreadable(f"文件{_WANTED}，现在其实是压缩包；请解压后上传里面的表格")


def _compound(data: bytes) -> str:
    """Tell what is in a compound file (MS-CFB), by the names in its directory."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has("EncryptedPackage") or has("EncryptionInfo"):
        raise Unreadable("文件有密码，应不加密；请在Excel里去掉密码、保存后再上传")
    if has("Workbook") or has("Book"):
        return "xls"
    if has("WordDocument"):
        raise Unreadable(f"文件{_WANTED}，现在其实是Word文档；请把表格复制到Excel里另存")
    raise Unreadable(f"文件{_WANTED}，现在是别的Office文件或已损坏")


def _text(head: bytes) -> str:
    text = _peeked(head).lstrip("\ufeff \r\n\t\0")
    low = text[:2000].lower()
    if re.match(r"<!doctype html|<html|<head|<body|<table|<meta|<!--", low):
        raise Unreadable("文件其实是网页（HTML）表格；请用Excel打开，另存为xlsx再上传")
    if low.startswith(("<?xml", "<!doctype")):
        raise Unreadable("文件其实是XML；请用Excel打开，另存为xlsx再上传")
    if text.startswith("{"):
        return "jsonl"
    if re.match(r"\[\s*(?:\{|\])", text):
        raise Unreadable("JSON应是一行一个对象（jsonl），现在整个文件是一个数组；请改成一行一个")
    return "csv"


def _peeked(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    return head.replace(b"\0", b"").decode("utf-8", "ignore")


def note_on_ending(name: str, kind: str) -> list[str]:
    """Return a sentence where a file's ending says something else than its content."""
    ending = PurePath(name).suffix.lower()
    if ending in _ENDINGS[kind] or not ending:
        return []
    return [f"文件名以{ending[:10]}结尾，内容其实是{kind}，按{kind}读"]
