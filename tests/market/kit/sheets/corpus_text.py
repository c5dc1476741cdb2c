"""CSV, JSON lines and other formats' tables, with the faults that programs and people bring in."""

import json
from functools import partial

from market.kit.sheets.calamine import _NOTE as OLD_NOTE
from market.kit.sheets.formats import ERROR, LOST_DIGITS
from market.kit.sheets.separated import _UNBALANCED as UNBALANCED
from market.kit.sheets.text_lines import NUL, TOO_LONG
from tests.market.kit.sheets.cases import Case, H
from tests.support.sheetfiles import Page, book, old_excel, opendocument, rows

A, B = ("石墨烯电池", "甲大学", "80"), ("水下机器人", "乙研究所", "面议")
PLAIN = ((2, A), (3, B))
TABLE = "".join(f"{','.join(line)}\r\n" for line in (H, A, B))
OTHER_CODE = "这一行的文字编码应同全文件一样是{}，现在不是；请把整个文件另存为UTF-8"
NOT_WHOLE = "应为一个完整的JSON对象，即用花括号括起的一组名称和值，"

text = partial(Case, kind="csv", encoding="UTF-8", sheet="")
lines = partial(Case, kind="jsonl", encoding="UTF-8", sheet="", header_row=0)


def _bytes(data: bytes | str):
    return lambda: data if isinstance(data, bytes) else data.encode()


def _ods_row(*cells: str) -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    )
    return f"<table:table-row>{inner}</table:table-row>"


_MIXED = [*([",".join(H), ",".join(A)]), *[",".join(B)] * 3]
_LONG = "字" * 1_000_001

TEXT = [
    text("csv in UTF-8", "a.csv", _bytes(TABLE), H, PLAIN),
    text("csv with a byte order mark", "a.csv", lambda: TABLE.encode("utf-8-sig"), H, PLAIN),
    text("csv in GBK", "a.csv", lambda: TABLE.encode("gbk"), H, PLAIN, encoding="GBK"),
    text(
        "csv in GB18030 with a rare character",
        "a.csv",
        lambda: TABLE.replace("甲", "𠮷").encode("gb18030"),
        H,
        [(2, ("石墨烯电池", "𠮷大学", "80")), (3, B)],
        encoding="GBK",
    ),
    text("csv in UTF-16", "a.csv", lambda: TABLE.encode("utf-16"), H, PLAIN, encoding="UTF-16"),
    text(
        "csv in UTF-16 from the other end",
        "a.csv",
        lambda: b"\xfe\xff" + TABLE.encode("utf-16-be"),
        H,
        PLAIN,
        encoding="UTF-16",
    ),
    text(
        "csv in UTF-16 without a mark",
        "a.csv",
        lambda: TABLE.encode("utf-16-le"),
        H,
        PLAIN,
        encoding="UTF-16",
    ),
    text(
        "tabs, as Excel's Unicode text",
        "a.txt",
        lambda: TABLE.replace(",", "\t").encode("utf-16"),
        H,
        PLAIN,
        encoding="UTF-16",
    ),
    text("semicolons", "a.csv", _bytes(TABLE.replace(",", ";")), H, PLAIN),
    text("tabs", "a.tsv", _bytes(TABLE.replace(",", "\t")), H, PLAIN),
    text("bars", "a.csv", _bytes(TABLE.replace(",", "|")), H, PLAIN),
    text(
        "a sep= line, which Excel does not count",
        "a.csv",
        _bytes("sep=^\r\n" + TABLE.replace(",", "^")),
        H,
        PLAIN,
    ),
    text("ends of lines as on old Macs", "a.csv", _bytes(TABLE.replace("\r\n", "\r")), H, PLAIN),
    text("no line end after the last row", "a.csv", _bytes(TABLE.rstrip()), H, PLAIN),
    text(
        "quotes, commas and breaks in cells; blank lines count",
        "a.csv",
        _bytes(f'{",".join(H)}\r\n\r\n"石墨烯,\r\n“电池”","甲""大""学",80\r\n,,\r\n乙,丙,1\r\n'),
        H,
        [(3, ("石墨烯,\n“电池”", '甲"大"学', "80")), (5, ("乙", "丙", "1"))],
    ),
    text(
        "a quote that never closes spoils its row only",
        "a.csv",
        _bytes(f'{",".join(H)}\n"甲,乙,1\n丙,丁,2\n戊,"己",3\n'),
        H,
        [(2, ('"甲', "乙", "1")), (3, ("丙", "丁", "2")), (4, ("戊", "己", "3"))],
        problems={2: UNBALANCED},
    ),
    text(
        "text after a closing quote",
        "a.csv",
        _bytes(f'{",".join(H)}\n"甲"x,乙,1\n丙,丁,2\n'),
        H,
        [(2, ('"甲"x', "乙", "1")), (3, ("丙", "丁", "2"))],
        problems={2: UNBALANCED},
    ),
    text(
        "an inch sign within a cell is no quote",
        "a.csv",
        _bytes(f'{",".join(H)}\n8" 晶圆,乙,1\n'),
        H,
        [(2, ('8" 晶圆', "乙", "1"))],
    ),
    text(
        "a comma that shifts cells",
        "a.csv",
        _bytes(f"{TABLE}甲,乙,丙,丁\r\n戊\r\n己,庚,1,,\r\n"),
        H,
        [*PLAIN, (4, ("甲", "乙", "丙", "丁")), (5, ("戊", "", "")), (6, ("己", "庚", "1"))],
        problems={4: "应为3格，现在是4格；含逗号的内容要用引号括起来"},
    ),
    text(
        "one row in GBK within UTF-8",
        "a.csv",
        lambda: b"\n".join(
            one.encode("gbk" if i == 3 else "utf-8") for i, one in enumerate(_MIXED)
        ),
        H,
        [(2, A), (3, B), (4, tuple(c.encode("gbk").decode("utf-8", "replace") for c in B)), (5, B)],
        problems={4: OTHER_CODE.format("UTF-8")},
    ),
    text(
        "one broken character within GBK",
        "a.csv",
        lambda: b"\n".join([*(one.encode("gbk") for one in _MIXED), b"\xff,x,1"]),
        H,
        [(2, A), (3, B), (4, B), (5, B), (6, ("\ufffd", "x", "1"))],
        problems={6: OTHER_CODE.format("GBK")},
        encoding="GBK",
    ),
    text(
        "a NUL in a row",
        "a.csv",
        _bytes(f"{TABLE}丙\0丁,x,1\r\n"),
        H,
        [*PLAIN, (4, ("丙丁", "x", "1"))],
        problems={4: NUL},
    ),
    text(
        "a line of a million characters",
        "a.csv",
        _bytes(f"{','.join(H)}\n{_LONG},x,1\n{','.join(A)}\n"),
        H,
        [(2, ("字" * 200, "", "")), (3, A)],
        problems={2: TOO_LONG},
    ),
    text(
        "a cell guarded against Excel, and neutralised ones",
        "a.csv",
        _bytes(f'{",".join(H)}\n"=""007""",\'=1+1,\'-5\n'),
        H,
        [(2, ("007", "=1+1", "-5"))],
    ),
    text(
        "what Excel leaves of long numbers and errors",
        "a.csv",
        _bytes(f"{','.join(H)}\n甲,9.15001E+17,#REF!\n"),
        H,
        [(2, ("甲", "9.15001E+17", "#REF!"))],
        faults={(2, 1): LOST_DIGITS, (2, 2): ERROR.format(shown="#REF!")},
    ),
    text(
        "a two-line header without merges",
        "a.csv",
        _bytes("成果名称,价格,,持有单位\n,最低,最高,\n甲,1,2,乙\n"),
        ("成果名称", "价格/最低", "价格/最高", "持有单位"),
        [(3, ("甲", "1", "2", "乙"))],
        header_row=2,
    ),
    text(
        "a title and a total",
        "a.csv",
        _bytes(f"2025年汇总,,\r\n{TABLE}合计：2项,,80\r\n"),
        H,
        [(3, A), (4, B)],
        header_row=2,
        notes=[
            "表头在第2行，上面的1行是标题，没有导入",
            "第5行（合计：2项）在表的末尾，是合计或说明，没有导入",
        ],
    ),
    text(
        "a last row whose name begins like a total",
        "a.csv",
        _bytes(f"{TABLE}共计算平台,丙公司,5\r\n"),
        H,
        [*PLAIN, (4, ("共计算平台", "丙公司", "5"))],
    ),
    text(
        "a last row whose name begins like a remark, with every column filled",
        "a.csv",
        _bytes("成果名称,持有单位\n甲,乙\n说明：一种方法,丙公司\n"),
        ("成果名称", "持有单位"),
        [(2, ("甲", "乙")), (3, ("说明：一种方法", "丙公司"))],
    ),
    text(
        "two remarks side by side, and totals as people write them",
        "a.csv",
        _bytes(
            "成果名称,价格（万元）\n甲,1\n合计 3 项,4\n总计（元）,4\n填表人：张三,审核人：李四\n"
        ),
        ("成果名称", "价格（万元）"),
        [(2, ("甲", "1"))],
        notes=[
            "第3行（合计 3 项）在表的末尾，是合计或说明，没有导入",
            "第4行（总计（元））在表的末尾，是合计或说明，没有导入",
            "第5行（填表人：张三）在表的末尾，是合计或说明，没有导入",
        ],
    ),
    text(
        "one column only",
        "a.csv",
        _bytes("成果名称\n甲\n乙\n"),
        ("成果名称",),
        [(2, ("甲",)), (3, ("乙",))],
    ),
    text(
        "a csv called xlsx",
        "a.xlsx",
        _bytes(TABLE),
        H,
        PLAIN,
        notes=["文件名以.xlsx结尾，内容其实是csv，按csv读"],
    ),
    Case(
        "an xlsx called csv",
        "a.csv",
        lambda: book(Page(rows(H, A, B))),
        H,
        PLAIN,
        notes=["文件名以.csv结尾，内容其实是xlsx，按xlsx读"],
    ),
    Case(
        "an old Excel file",
        "a.xls",
        lambda: old_excel(
            [["成果名称", "价格（万元）"], ["甲", 80.5], [], ["乙", 123456789012345678.0]]
        ),
        ("成果名称", "价格（万元）"),
        [(2, ("甲", "80.5")), (4, ("乙", "123456789012346000"))],
        faults={(4, 1): LOST_DIGITS},
        notes=[OLD_NOTE],
        kind="xls",
        sheet="成果",
    ),
    Case(
        "OpenDocument with repeated blank rows",
        "a.ods",
        lambda: opendocument(
            _ods_row(*H)
            + '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
            + _ods_row(*A)
            + '<table:table-row table:number-rows-repeated="1048000"><table:table-cell'
            ' table:number-columns-repeated="16384"/></table:table-row>'
        ),
        H,
        [(4, A)],
        notes=[OLD_NOTE],
        kind="ods",
        sheet="表一",
    ),
    lines(
        "JSON lines",
        "a.jsonl",
        _bytes(
            '{"title":"甲","keywords":["a"],"price":{"low_fen":1}}\n\n{"title":"乙","id":1.5}\r\n'
        ),
        ("title", "keywords", "price", "id"),
        [
            (1, {"title": "甲", "keywords": ["a"], "price": {"low_fen": 1}}),
            (3, {"title": "乙", "id": 1.5}),
        ],
    ),
    lines(
        "JSON lines in GBK called csv",
        "a.csv",
        lambda: '{"title":"甲"}\n'.encode("gbk"),
        ("title",),
        [(1, {"title": "甲"})],
        encoding="GBK",
        notes=["文件名以.csv结尾，内容其实是jsonl，按jsonl读"],
    ),
    lines(
        "each fault of a JSON line keeps to its line",
        "a.jsonl",
        _bytes(
            "\n".join(
                (
                    '{"a":1}',
                    '{"a":NaN}',
                    '{"a":1e999}',
                    '{"a":' + "9" * 5000 + "}",
                    '{"a":1,"a":2}',
                    '{"a":"\\ud800"}',
                    '{"a":"\\u0000"}',
                    '{"a":' + "[" * 99_999 + "]" * 99_999 + "}",
                    '{"a":' + "[" * 40 + "]" * 40 + "}",
                    '{"a":',
                    "[1]",
                    "甲",
                    '{"a":"\\\\u0000 \\ud83d\\ude00"}',
                )
            )
        ),
        ("a",),
        [
            (1, {"a": 1}),
            (2, ('{"a":NaN}',)),
            (3, ('{"a":1e999}',)),
            (4, (('{"a":' + "9" * 5000)[:200],)),
            (5, ('{"a":1,"a":2}',)),
            (6, ('{"a":"\\ud800"}',)),
            (7, ('{"a":"\\u0000"}',)),
            (8, (('{"a":' + "[" * 300)[:200],)),
            (9, ('{"a":' + "[" * 40 + "]" * 40 + "}",)),
            (10, ('{"a":',)),
            (11, ("[1]",)),
            (12, ("甲",)),
            (13, {"a": "\\u0000 😀"}),
        ],
        problems={
            2: f"{NOT_WHOLE}NaN不是JSON的数",
            3: f"{NOT_WHOLE}数最多18位，长号码请写成文字，即放在引号里",
            4: f"{NOT_WHOLE}数最多18位，长号码请写成文字，即放在引号里",
            5: f"{NOT_WHOLE}“a”应只有一个，现在有两个",
            6: f"{NOT_WHOLE}里面有不成对的代理字符",
            7: f"{NOT_WHOLE}里面有空字符（NUL）",
            8: f"{NOT_WHOLE}这一行读不出来",
            9: f"{NOT_WHOLE}现在一层套一层，超过32层",
            10: f"{NOT_WHOLE}这一行读不出来",
            11: f"{NOT_WHOLE}现在是别的值",
            12: f"{NOT_WHOLE}这一行读不出来",
        },
    ),
    lines(
        "a NUL byte and a stray byte in JSON lines",
        "a.jsonl",
        _bytes(
            b'{"a":"x\0"}\n{"a":"\xff"}\n{"a":"\xe7\x94\xb2"}\n' + json.dumps({"a": 1}).encode()
        ),
        ("a",),
        [(1, ('{"a":"x"}',)), (2, ('{"a":"\ufffd"}',)), (3, {"a": "甲"}), (4, {"a": 1})],
        problems={1: NUL, 2: OTHER_CODE.format("UTF-8")},
    ),
]
