"""Workbooks as people and their programs make them."""

from market.kit.sheets.formats import BROKEN, ERROR, LOST_DIGITS, NO_DATE, NO_RESULT
from tests.market.kit.sheets.cases import Case, H
from tests.support.sheetfiles import (
    HEAD,
    MAIN,
    RELATIONS,
    Page,
    Raw,
    book,
    error,
    formula,
    number,
    packed,
    parts,
    row,
    rows,
    shared,
    strings,
    styles,
)

A, B = ("石墨烯电池", "甲大学", "80"), ("水下机器人", "乙研究所", "面议")
PLAIN = ((2, A), (3, B))


def _prefixed() -> bytes:
    found = parts(Page(rows(H, A, B)))
    name = "xl/worksheets/sheet1.xml"
    text = found[name].decode().replace("</", "</\0").replace("<?", "\1?")
    text = text.replace("</\0", "\2").replace("<", "<x:").replace("\2", "</x:").replace("\1?", "<?")
    found[name] = text.replace("xmlns=", "xmlns:x=").encode()
    return packed(found)


def _utf16() -> bytes:
    found = parts(Page(rows(H, A, B)))
    name = "xl/worksheets/sheet1.xml"
    found[name] = found[name].decode().replace("UTF-8", "UTF-16").encode("utf-16")
    return packed(found)


def _elsewhere() -> bytes:
    """Parts under other names, and a link to a file outside, as some programs write them."""
    found = parts(Page(rows(H, A, B)))
    found["data/a.xml"] = found.pop("xl/worksheets/sheet1.xml")
    rels = found["xl/_rels/workbook.xml.rels"].decode()
    outside = (
        f'<Relationship Id="rId9" Type="{RELATIONS}/externalLink" TargetMode="External"'
        ' Target="http://example.com/secret.xlsx"/></Relationships>'
    )
    rels = rels.replace("worksheets/sheet1.xml", "/data/a.xml")
    found["xl/_rels/workbook.xml.rels"] = rels.replace("</Relationships>", outside).encode()
    return packed(found)


def _dates(properties: str = "") -> bytes:
    style = styles(14, 'yyyy"年"m"月"', "yyyy-mm-dd hh:mm", 'h"时"mm"分"', "[h]:mm", 57)
    days = [number(v, s) for v, s in ((45717, 1), (45717, 2), (45717.604166666664, 3))]
    times = [number(0.5, 4), number(1.25, 5), number(45717, 6)]
    head = ("成果名称", "日", "月", "时刻", "时间", "时长", "年月")
    return book(Page(rows(head, ("甲", *days, *times))), style=style, properties=properties)


def _numbers() -> bytes:
    given = (
        number("0.30000000000000004"),
        number("1E-7"),
        number("80.0"),
        number("1234567.5", 1),
        number("0.15", 2),
        number("7", 3),
        number("80", 4),
        number("800000", 5),
        number("123456789012345"),
    )
    style = styles(4, 10, "0000", '0"万元"', '0!.0,"万"')
    return book(Page(rows(("成果名称", *"abcdefghi"), ("甲", *given))), style=style)


_TWO = Page(rows(("说明",), ("请在第二张表里填写",)), "填写说明")
_WIDE = ("成果名称", *(f"列{n}" for n in range(1, 501)))

XLSX = [
    Case("plain", "a.xlsx", lambda: book(Page(rows(H, A, B))), H, PLAIN),
    Case(
        "shared and rich texts, phonetics left out",
        "a.xlsx",
        lambda: book(
            Page(rows(H, (shared(0), shared(1), shared(2)))),
            texts=strings(
                "<r><t>石墨烯</t></r><r><rPr><b/></rPr><t>电池</t></r>",
                "<t>甲大学</t><rPh sb='0' eb='1'><t>ジャ</t></rPh>",
                "<t xml:space='preserve'>  80 </t>",
            ),
        ),
        H,
        [(2, A)],
    ),
    Case(
        "a shared text that is not there",
        "a.xlsx",
        lambda: book(Page(rows(H, (shared(7), "甲大学", shared("x")))), texts=strings("<t>a</t>")),
        H,
        [(2, ("", "甲大学", ""))],
        faults={(2, 0): BROKEN, (2, 2): BROKEN},
    ),
    Case(
        "dates in the 1900 system",
        "a.xlsx",
        _dates,
        ("成果名称", "日", "月", "时刻", "时间", "时长", "年月"),
        [(2, ("甲", "2025-03-01", "2025年3月", "2025-03-01 14:30", "12:00", "30:00", "2025年3月"))],
    ),
    Case(
        "dates in the 1904 system",
        "a.xlsx",
        lambda: _dates('<workbookPr date1904="1"/>'),
        ("成果名称", "日", "月", "时刻", "时间", "时长", "年月"),
        [(2, ("甲", "2029-03-02", "2029年3月", "2029-03-02 14:30", "12:00", "30:00", "2029年3月"))],
    ),
    Case(
        "days around the leap day that never was, and no days",
        "a.xlsx",
        lambda: book(
            Page(rows(("成果名称", "日"), *(("甲", number(n, 1)) for n in (1, 59, 61, -3, 9e9)))),
            style=styles(14),
        ),
        ("成果名称", "日"),
        [
            (2, ("甲", "1900-01-01")),
            (3, ("甲", "1900-02-28")),
            (4, ("甲", "1900-03-01")),
            (5, ("甲", "-3")),
            (6, ("甲", "9000000000")),
        ],
        faults={(5, 1): NO_DATE.format(shown="-3"), (6, 1): NO_DATE.format(shown="9000000000")},
    ),
    Case(
        "a date as ISO text (strict files)",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    ("成果名称", "日"),
                    ("甲", Raw('<c r="{r}" t="d"><v>2025-03-01T00:00:00</v></c>')),
                )
            )
        ),
        ("成果名称", "日"),
        [(2, ("甲", "2025-03-01"))],
    ),
    Case(
        "numbers as shown",
        "a.xlsx",
        _numbers,
        ("成果名称", *"abcdefghi"),
        [
            (
                2,
                (
                    "甲",
                    "0.3",
                    "0.0000001",
                    "80",
                    "1234567.5",
                    "15%",
                    "0007",
                    "80万元",
                    "800000",
                    "123456789012345",
                ),
            )
        ],
    ),
    Case(
        "a credit code stored as a number",
        "a.xlsx",
        lambda: book(Page(rows(("成果名称", "代码"), ("甲", number("9.1500112345678901E+17"))))),
        ("成果名称", "代码"),
        [(2, ("甲", "915001123456789000"))],
        faults={(2, 1): LOST_DIGITS},
    ),
    Case(
        "numbers that are none",
        "a.xlsx",
        lambda: book(Page(rows(("成果名称", "数"), ("甲", number("NaN")), ("乙", number("1,5"))))),
        ("成果名称", "数"),
        [(2, ("甲", "NaN")), (3, ("乙", "1,5"))],
        faults={(2, 1): BROKEN, (3, 1): BROKEN},
    ),
    Case(
        "yes and no",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    ("成果名称", "是否保密"),
                    ("甲", Raw('<c r="{r}" t="b"><v>1</v></c>')),
                    ("乙", Raw('<c r="{r}" t="b"><v>0</v></c>')),
                )
            )
        ),
        ("成果名称", "是否保密"),
        [(2, ("甲", "是")), (3, ("乙", "否"))],
    ),
    Case(
        "formulas: stored text, number, empty text, and none stored",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    H,
                    (
                        formula("A9&B9", "石墨烯电池"),
                        formula("B9", "甲大学"),
                        formula("1+1", "2", "n"),
                    ),
                    (formula("A9", None), "乙研究所", formula('""', "")),
                )
            )
        ),
        H,
        [(2, ("石墨烯电池", "甲大学", "2")), (3, ("", "乙研究所", ""))],
        faults={(3, 0): NO_RESULT},
    ),
    Case(
        "error values told apart from empty cells",
        "a.xlsx",
        lambda: book(Page(rows(H, ("甲", error("#REF!"), None), ("乙", None, error("#N/A"))))),
        H,
        [(2, ("甲", "#REF!", "")), (3, ("乙", "", "#N/A"))],
        faults={(2, 1): ERROR.format(shown="#REF!"), (3, 2): ERROR.format(shown="#N/A")},
    ),
    Case(
        "merged downwards: every row has the value",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    H,
                    ("甲", "甲大学", "1"),
                    ("乙", None, "2"),
                    ("丙", None, "3"),
                    ("丁", None, "4"),
                ),
                merges=["B2:B4"],
            )
        ),
        H,
        [
            (2, ("甲", "甲大学", "1")),
            (3, ("乙", "甲大学", "2")),
            (4, ("丙", "甲大学", "3")),
            (5, ("丁", "", "4")),
        ],
        notes=["上下合并的单元格，每一行都按合并格里的值导入"],
    ),
    Case(
        "merged sideways: the first column has the value",
        "a.xlsx",
        lambda: book(Page(rows(H, ("甲", None, "80")), merges=["A2:B2"])),
        H,
        [(2, ("甲", "", "80"))],
    ),
    Case(
        "merged over a whole column of nothing",
        "a.xlsx",
        lambda: book(Page(rows(H, A), merges=["C2:C1048576"])),
        H,
        [(2, A)],
    ),
    Case(
        "a merged title above the header",
        "a.xlsx",
        lambda: book(
            Page(
                rows(("2025年成果汇总表",), ("填报日期：2025年3月",)) + rows(H, A, start=4),
                merges=["A1:C1", "A2:C2"],
            )
        ),
        H,
        [(5, A)],
        header_row=4,
        notes=["表头在第4行，上面的2行是标题，没有导入"],
    ),
    Case(
        "two-line header with merged cells",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    ("成果名称", "价格", None, "持有单位"),
                    (None, "最低", "最高", None),
                    ("甲", "1", "2", "乙"),
                ),
                merges=["A1:A2", "B1:C1", "D1:D2"],
            )
        ),
        ("成果名称", "价格/最低", "价格/最高", "持有单位"),
        [(3, ("甲", "1", "2", "乙"))],
        header_row=2,
    ),
    Case(
        "two-line header whose second line says it all",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    ("基本信息", None, "联系"),
                    ("成果名称", "持有单位", "联系人"),
                    ("甲", "乙", "丙"),
                ),
                merges=["A1:B1"],
            )
        ),
        ("成果名称", "持有单位", "联系人"),
        [(3, ("甲", "乙", "丙"))],
        header_row=2,
        notes=["表头在第2行，上面的1行是标题，没有导入"],
    ),
    Case(
        "sub-headings of the same name keep their group",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    ("名目", "负责人", None, "联络人", None),
                    ("成果名称", "姓名", "电话", "姓名", "电话"),
                    ("甲", "乙", "1", "丙", "2"),
                ),
                merges=["B1:C1", "D1:E1"],
            )
        ),
        ("成果名称", "负责人/姓名", "负责人/电话", "联络人/姓名", "联络人/电话"),
        [(3, ("甲", "乙", "1", "丙", "2"))],
        header_row=2,
        notes=["表头在第2行，上面的1行是标题，没有导入"],
    ),
    Case(
        "headings in any spelling, with breaks and marks",
        "a.xlsx",
        lambda: book(Page(rows(("*成果\n名称", " 持有 单位：", "价格(万元)"), A))),
        ("*成果 名称", "持有 单位：", "价格(万元)"),
        [(2, A)],
    ),
    Case(
        "no known heading: the first full row of words",
        "a.xlsx",
        lambda: book(Page(rows(("汇总",), ("题目", "机构", "金额"), ("甲", "乙", number(5))))),
        ("题目", "机构", "金额"),
        [(3, ("甲", "乙", "5"))],
        header_row=2,
        notes=["表头在第2行，上面的1行是标题，没有导入"],
    ),
    Case(
        "hidden rows and columns are read",
        "a.xlsx",
        lambda: book(
            Page(
                rows(H, A) + row(3, *B, attributes='hidden="1"'),
                before='<cols><col min="2" max="2" hidden="1"/><col min="9" max="16384" hidden="1"/></cols>',
            )
        ),
        H,
        PLAIN,
        notes=["隐藏的1行也导入了", "隐藏的1列也导入了"],
    ),
    Case(
        "blank rows and columns, with and without cells",
        "a.xlsx",
        lambda: book(
            Page(
                row(2, None, *H[:2], None, H[2])
                + row(4, None, "甲", "乙", None, "1")
                + row(5, Raw('<c r="{r}" s="1"/>'), " ", "\u3000")
                + row(9, None, "丙", "丁", None, "2")
            )
        ),
        ("", "成果名称", "持有单位", "", "价格（万元）"),
        [(4, ("", "甲", "乙", "", "1")), (9, ("", "丙", "丁", "", "2"))],
        header_row=2,
        notes=["第1、4列没有表头，没有导入"],
    ),
    Case(
        "total and remarks at the end",
        "a.xlsx",
        lambda: book(
            Page(
                rows(H, A, B, ("合 计", None, "80"))
                + row(6, "备注：本表由各单位填报")
                + row(7, "填表人：张三")
            )
        ),
        H,
        PLAIN,
        notes=[
            "第4行（合 计）在表的末尾，是合计或说明，没有导入",
            "第6行（备注：本表由各单位填报）在表的末尾，是合计或说明，没有导入",
            "第7行（填表人：张三）在表的末尾，是合计或说明，没有导入",
        ],
    ),
    Case(
        "a total between rows stays a row, for its reason to be named",
        "a.xlsx",
        lambda: book(Page(rows(H, A, ("小计", None, "80"), B))),
        H,
        [(2, A), (3, ("小计", "", "80")), (4, B)],
    ),
    Case(
        "the header again on every printed page",
        "a.xlsx",
        lambda: book(Page(rows(H, A, H, B))),
        H,
        [(2, A), (4, B)],
        notes=["重复的表头1行，没有导入"],
    ),
    Case(
        "several sheets: the one with the best header",
        "a.xlsx",
        lambda: book(
            _TWO, Page(rows(H, A, B), "成果"), Page(rows(("x",), ("y",)), "字典", state="hidden")
        ),
        H,
        PLAIN,
        sheet="成果",
        others=["填写说明", "字典"],
        notes=[
            "只读了工作表“成果”，“填写说明”没有导入",
            "只读了工作表“成果”，隐藏的“字典”没有导入",
        ],
    ),
    Case(
        "of two like sheets the first with rows",
        "a.xlsx",
        lambda: book(Page(rows(H), "空表"), Page(rows(H, A), "甲"), Page(rows(H, B), "乙")),
        H,
        [(2, A)],
        sheet="甲",
        others=["空表", "乙"],
        notes=["只读了工作表“甲”，“空表”、“乙”没有导入"],
    ),
    Case(
        "only a hidden sheet has the table",
        "a.xlsx",
        lambda: book(Page("", "首页"), Page(rows(H, A), "数据", state="veryHidden")),
        H,
        [(2, A)],
        sheet="数据",
        others=["首页"],
        notes=["只读了工作表“数据”，“首页”没有导入", "工作表“数据”是隐藏的，按它导入"],
    ),
    Case(
        "line breaks, escapes and kinds of space",
        "a.xlsx",
        lambda: book(
            Page(
                rows(
                    H,
                    ("\u3000石墨烯\n电池\xa0", "甲_x000D_\n大学\ufeff", "_x005F_x0041_ _xD800_１"),
                )
            )
        ),
        H,
        [(2, ("石墨烯\n电池", "甲\n大学", "_x0041_ \ufffd１"))],
    ),
    Case(
        "content beyond the last heading",
        "a.xlsx",
        lambda: book(
            Page(rows(H, (*A, "随手记的话"), (*B, None, "1")) + row(9, *[None] * 7, "孤零零"))
        ),
        H,
        PLAIN,
        notes=["表头右边有3格内容没有表头，没有导入"],
    ),
    Case(
        "a far cell at XFD1048576",
        "a.xlsx",
        lambda: book(Page(rows(H, A) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
        H,
        [(2, A)],
        notes=["表头右边有1格内容没有表头，没有导入"],
    ),
    Case("elements under a prefix", "a.xlsx", _prefixed, H, PLAIN),
    Case("XML in UTF-16", "a.xlsx", _utf16, H, PLAIN),
    Case("parts elsewhere, and a link outside", "a.xlsx", _elsewhere, H, PLAIN),
    Case(
        "no addresses in rows and cells",
        "a.xlsx",
        lambda: book(
            Page(
                "<row><c t='inlineStr'><is><t>成果名称</t></is></c><c t='str'><v>持有单位</v></c></row>"
                "<row><c t='str'><v>甲</v></c><c t='str'><v>乙</v></c></row>"
            )
        ),
        ("成果名称", "持有单位"),
        [(2, ("甲", "乙"))],
    ),
    Case(
        "macros are not looked at",
        "a.xlsm",
        lambda: book(Page(rows(H, A)), extra={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 99}),
        H,
        [(2, A)],
    ),
    Case(
        "names with path tricks are no part of the table",
        "a.xlsx",
        lambda: book(
            Page(rows(H, A)),
            extra={
                "../../etc/x": "x",
                "/etc/passwd": "x",
                "C:\\x": "x",
                "a.zip": packed({"b": b"c"}),
            },
        ),
        H,
        [(2, A)],
    ),
    Case(
        "500 columns, the most",
        "a.xlsx",
        lambda: book(Page(rows(_WIDE[:500], ("甲",)))),
        _WIDE[:500],
        [(2, ("甲", *[""] * 499))],
    ),
    Case(
        "formulas as text in cells stay text",
        "a.xlsx",
        lambda: book(Page(rows(H, ("=1+1", "'=HYPERLINK(1)", "-5")))),
        H,
        [(2, ("=1+1", "'=HYPERLINK(1)", "-5"))],
    ),
    Case(
        "a text of 100,001 characters",
        "a.xlsx",
        lambda: book(Page(rows(H, ("字" * 100_001, "甲", "1")))),
        H,
        [(2, ("字" * 20_000, "甲", "1"))],
        faults={(2, 0): "一格最多20,000字，现在是100,001字，后面的没有读"},
    ),
    Case(
        "300,000 cell styles",
        "a.xlsx",
        lambda: book(
            Page(rows(H, ("甲", "乙", number(45717, 300_000)))),
            style=f'{HEAD}<styleSheet xmlns="{MAIN}"><cellXfs>{"<xf/>" * 300_000}<xf numFmtId="14"/></cellXfs></styleSheet>',
        ),
        H,
        [(2, ("甲", "乙", "2025-03-01"))],
    ),
    Case(
        "a style that is not there",
        "a.xlsx",
        lambda: book(Page(rows(H, ("甲", "乙", number(45717, 99)))), style=styles(14)),
        H,
        [(2, ("甲", "乙", "45717"))],
    ),
]
