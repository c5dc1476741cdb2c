"""The one table of hostile input. `test_walk.py` sends all of it everywhere; a new trick is a line.

Each entry has a name that a failure shows. Texts go into every field of every form, every text of
the API and every query parameter; the rest goes where its name says.
"""

from dataclasses import dataclass, field
from typing import Final

EXECUTES = "window.pwned=1"  # what an attack of a page would run; the browser test looks for it


@dataclass(frozen=True, slots=True)
class Text:
    """One text, as it is typed."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Body:
    """A whole request body under its content type; `{b}` stands for a good JSON object."""

    name: str
    type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a browser would name it; `headers` are added to its part."""

    name: str
    filename: bytes
    content: bytes
    type: bytes = b"application/octet-stream"
    headers: bytes = b""


@dataclass(frozen=True, slots=True)
class Headers:
    """Header lines added to a good request; a line of the same name is replaced."""

    name: str
    lines: tuple[tuple[bytes, bytes], ...] = field(default=())


UNSTORABLE: Final = (
    Text("NUL", "示范\x00成果"),
    Text("lone surrogate", "示范\ud800成果"),
    Text("surrogates in the wrong order", "\udc00\ud800"),
    Text("control characters", "a\x01b\x08c\x1bd\x7f"),
    Text("C1 control", "a\x85b\x9fc"),
    Text("noncharacter", "a\uffff\ufffeb\ufdd0"),
    Text("zalgo", "示" + "\u0300\u0317\u0489" * 40 + "范"),
)
SCRIPTS: Final = (
    Text("script", f"<script>{EXECUTES}</script>"),
    Text("script over the end of a script", f"</script><script>{EXECUTES}</script>"),
    Text("image", f'<img src=x onerror="{EXECUTES}">'),
    Text("svg", f"<svg/onload={EXECUTES}>"),
    Text("out of a double-quoted attribute", f'" onfocus="{EXECUTES}" autofocus="'),
    Text("out of a single-quoted attribute", f"' onmouseover='{EXECUTES}' x='"),
    Text("out of a text area", f"</textarea><script>{EXECUTES}</script>"),
    Text("out of a title", f"</title><script>{EXECUTES}</script>"),
    Text("out of a comment", f"--><script>{EXECUTES}</script><!--"),
    Text("out of an option", f"</option></select><img src=x onerror={EXECUTES}>"),
    Text("javascript address", f"javascript:{EXECUTES}"),
    Text("data address", f"data:text/html,<script>{EXECUTES}</script>"),
    Text("entities", "&lt;script&gt;&#x3c;&quot;&amp;amp;"),
    Text("in a style", "</style><style>*{display:none}</style>"),
    Text("htmx attribute", f'" hx-get="/logout" hx-trigger="load" hx-on:load="{EXECUTES}'),
)
SYNTAX: Final = (
    Text("template expression", "{{ 7*7 }}{% raw %}{{ viewer.csrf }}"),
    Text("template of another kind", "${7*7}#{7*7}<%= 7*7 %>"),
    Text("format fields", "{0.__class__} %(name)s %s %n"),
    Text("SQL", "'; DROP TABLE listing; --"),
    Text("SQL, always true", "' OR '1'='1"),
    Text("SQL wildcards", "%_\\%\\_"),
    Text("query language", 'title:(a AND b) OR * "unclosed ~5 ^9 [a TO z] {'),
    Text("regular expression", "(a+)+$" + "a" * 40),
    Text("path", "../../../../etc/passwd"),
    Text("Windows path", "..\\..\\windows\\system32"),
    Text("shell", "$(reboot); `reboot` | reboot && reboot"),
    Text("header lines", "a\r\nSet-Cookie: pwned=1\r\n\r\n<html>"),
    Text("formula", '=HYPERLINK("http://evil.example","点这里")'),
    Text("formula with plus", "+1+cmd|' /C calc'!A0"),
    Text("formula with minus", "-2+3"),
    Text("formula with at", "@SUM(1+1)*cmd|'calc'!A0"),
    Text("formula after a tab", "\t=1+1"),
    Text("formula after a line end", "\r=1+1"),
    Text("full-width formula", "＝1+1"),
    Text("JSON", '{"a": [1, null, {"b": "\\u0000"}]}'),
    Text("backslashes", "\\\\\\n\\u0041\\"),
)
WRITING: Final = (
    Text("right-to-left override", "示范\u202egnp.exe"),
    Text("unclosed isolates", "\u2066\u2067\u2068示范\u202a\u202b\u202d"),
    Text("marks of direction", "\u200e示\u200f范\u061c"),
    Text("Arabic and Hebrew", "شركة 示范 חברה 12"),
    Text("zero-width", "示\u200b范\u2060成\ufeff果"),
    Text("nothing but zero-width", "\u200b\u2060\ufeff"),
    Text("joiners", "\u200c\u200d"),
    Text("tag characters", "示范\U000e0061\U000e0062\U000e007f"),
    Text("byte order mark", "\ufeff示范"),
    Text("emoji", "👩‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿🇨🇳"),
    Text("beyond the basic plane", "𠮷𪚥𝔘𐍈"),
    Text("line separators", "a\u2028b\u2029c"),
    Text("exotic spaces", "\u3000\u00a0\u2003示范\u3000"),
    Text("nothing but spaces", "\u3000 \t\u00a0"),
    Text("letters that grow", "ﷺİß" * 60),
    Text("Turkish and long s", "İıſK"),
    Text("unassigned and private", "\u0378\ue000\U000f0000"),
    Text("four combining marks", "a\u0300\u0301\u0302\u0303"),
    Text("GBK read as Latin", "示范".encode("gbk").decode("latin-1").replace("\x80", "")),
    Text("replacement characters", "\ufffd\ufffd"),
)
_LENGTHS = (1, 30, 31, 60, 61, 120, 121, 200, 201, 300, 301, 500, 501, 1000, 1001, 2001, 10_001)
SIZES: Final = (
    *(Text(f"{n} characters", "示" * n) for n in _LENGTHS),
    Text("100,000 characters", "范" * 100_000),
    Text("one long word", "a" * 5000),
    Text("many lines", "\n" * 5000 + "x"),
    Text("many words", "示范 " * 3000),
)
NUMBERS: Final = tuple(
    Text(f"number {text[:20]}", text)
    for text in (
        "0", "-1", "10000", "99999", "1.5", "1e5", "1e400", "-1e-400", "NaN", "Infinity", "-inf", "0x10", "٣", "１２",
        "1,000", "1_000", "007", "+5", "9223372036854775807", "9223372036854775808",
        "99999999999999999999999", "0.00000001", "0.005", "½", "²", "一百", "9" * 10_000,
        "true", "null", "None", "[]", "on",
    )
)  # fmt: skip
DAYS: Final = tuple(
    Text(f"day {text[:20]}", text)
    for text in (
        "0000-00-00", "0001-01-01", "9999-12-31", "2025-02-30", "2025-13-01", "1000000000-01-01",
        "-2025-01-01", "2025-1-1", "2025/02/29", "2024年2月29日", "45000", "1e9", "2025-01-01T00:00",
        "２０２５-０１-０１", "now", "9999年99月99日",
    )
)  # fmt: skip
EXTREMES: Final = tuple(
    text
    for text in NUMBERS + DAYS
    if text.value
    in (
        "0", "-1", "10000", "99999", "9223372036854775807", "9223372036854775808",
        "99999999999999999999", "0001-01-01", "9999-12-31", "1000000000-01-01",
    )
)  # fmt: skip
"""What a program counts wrongly with; few enough to be sent to every parameter of every page."""
TEXTS: Final = UNSTORABLE + SCRIPTS + SYNTAX + WRITING + SIZES + NUMBERS + DAYS

# One field's value as it stands in JSON; `null` and friends where a text belongs, and so on.
VALUES: Final[tuple[tuple[str, str], ...]] = tuple(
    (text[:30], text)
    for text in (
        "null", "true", "false", "0", "-1", "1", "1.0", "1.5", "1e400", "-1e400", "1e-400", "NaN",
        "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
        "100000000000000000000", "9" * 4299, "9" * 10_000, "[]", "{}", "[null]", "[[[[[[]]]]]]",
        '""', '" "', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\uffff"', '"1"', '"2026-02-30"',
        '"0000-00-00"', '"9999-12-31"', "1700000000", '"1700000000"', '{"a":1,"a":2}', '{"":""}',
        "[" + ",".join(["1"] * 5000) + "]", "[" * 500 + "]" * 500, '{"$ref":"#"}', '["a","a","a"]',
        '{"__proto__":{"x":1}}', '"' + "x" * 100_000 + '"',
    )
)  # fmt: skip

DEEP: Final = 100_000
BODIES: Final = (
    Body("empty", "application/json", b""),
    Body("empty without a type", "", b""),
    Body("null", "application/json", b"null"),
    Body("a number", "application/json", b"1"),
    Body("a text", "application/json", b'"x"'),
    Body("an array", "application/json", b"[{}]"),
    Body("half of an object", "application/json", b'{"title": "'),
    Body("an object and more", "application/json", b"{b}{b}"),
    Body("deep arrays", "application/json", b"[" * DEEP + b"]" * DEEP),
    Body("deep objects", "application/json", b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    Body("deep and unclosed", "application/json", b"[" * DEEP),
    Body("huge array", "application/json", b"[" + b"0," * 400_000 + b"0]"),
    Body("many keys", "application/json", b"{" + b",".join(b'"k%d":0' % n for n in range(50_000)) + b"}"),
    Body("the same key twice", "application/json", b'{"title":"a","title":"b","kind":"x","kind":"y"}'),
    Body("a number of 10,000 digits", "application/json", b'{"based_on":' + b"9" * 10_000 + b"}"),
    Body("an exponent of 10 digits", "application/json", b'{"based_on":1e9999999999}'),
    Body("more than 1 MB", "application/json", b'{"title":"' + b"x" * 1_100_000 + b'"}'),
    Body("byte order mark", "application/json", b"\xef\xbb\xbf{b}"),
    Body("UTF-16", "application/json", '{"title":"示范"}'.encode("utf-16")),
    Body("UTF-32", "application/json", '{"title":"示范"}'.encode("utf-32")),
    Body("GBK", "application/json", '{"title":"示范"}'.encode("gbk")),
    Body("GBK, said", "application/json; charset=gbk", '{"title":"示范"}'.encode("gbk")),
    Body("broken UTF-8", "application/json", b'{"title":"\xff\xfe\xc0\x80"}'),
    Body("overlong UTF-8", "application/json", b'{"title":"\xc0\xaf\xe0\x80\xaf"}'),
    Body("encoded surrogate", "application/json", b'{"title":"\xed\xa0\x80"}'),
    Body("NUL bytes", "application/json", b"\x00" * 100),
    Body("comments", "application/json", b'{/* x */"title":"a",}'),
    Body("single quotes", "application/json", b"{'title':'a'}"),
    Body("JSON as text", "text/plain", b"{b}"),
    Body("JSON as a form", "application/x-www-form-urlencoded", b"{b}"),
    Body("JSON as XML", "application/xml", b"{b}"),
    Body("JSON of another kind", "application/merge-patch+json", b"{b}"),
    Body("XML with entities", "application/xml", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
    Body("a type that is none", "x" * 5000, b"{b}"),
    Body("a type with a line end", "application/json;\tcharset=\xff", b"{b}"),
    Body("form: no boundary", "multipart/form-data", b"--x\r\n\r\n"),
    Body("form: empty boundary", "multipart/form-data; boundary=", b"----\r\n"),
    Body("form: long boundary", "multipart/form-data; boundary=" + "b" * 5000, b"--" + b"b" * 5000),
    Body("form: other boundary", "multipart/form-data; boundary=x", b"--y\r\n\r\na\r\n--y--"),
    Body("form: cut in a header", "multipart/form-data; boundary=x", b"--x\r\nContent-Dispo"),
    Body("form: cut in a value", "multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nab'),
    Body("form: no name", "multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
    Body("form: no disposition", "multipart/form-data; boundary=x", b"--x\r\nX: y\r\n\r\na\r\n--x--"),
    Body("form: giant header", "multipart/form-data; boundary=x", b"--x\r\nX: " + b"y" * 200_000 + b"\r\n\r\na\r\n--x--"),
    Body("form: many headers", "multipart/form-data; boundary=x", b"--x\r\n" + b"X: y\r\n" * 5000 + b"\r\na\r\n--x--"),
    Body(
        "form: 10,000 parts",
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 10_000 + b"--x--",
    ),
    Body(
        "form: 100 files",
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-\r\n' * 100
        + b"--x--",
    ),
    Body("form: a strange charset", "multipart/form-data; boundary=x; charset=utf-7", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n+ADw-\r\n--x--'),
    Body("form: a charset that is none", "multipart/form-data; boundary=x; charset=nope", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--'),
    Body("form: broken UTF-8", "multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\xfe\r\n--x--'),
    Body("fields: broken percent signs", "application/x-www-form-urlencoded", b"a=%&b=%zz&%=1&csrf=%ff"),
    Body("fields: NUL and surrogates", "application/x-www-form-urlencoded", b"title=%00&name=%ED%A0%80&q=%FF"),
    Body("fields: 10,000", "application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(10_000))),
    Body("fields: one name 10,000 times", "application/x-www-form-urlencoded", b"&".join([b"title=x"] * 10_000)),
    Body("fields: only separators", "application/x-www-form-urlencoded", b"&=&;&&&==="),
    Body("fields: over the limit", "application/x-www-form-urlencoded", b"title=" + b"x" * 600_000),
)  # fmt: skip

UPLOADS: Final = (
    Upload("empty", b"a.pdf", b""),
    Upload("no name", b"", b"%PDF-1.7"),
    Upload("out of the folder", b"../../../etc/passwd.pdf", b"%PDF-1.7"),
    Upload("out of the folder, Windows", b"..\\..\\a.pdf", b"%PDF-1.7"),
    Upload("absolute", b"/etc/a.pdf", b"%PDF-1.7"),
    Upload("NUL in the name", b"a.exe\x00.pdf", b"%PDF-1.7"),
    Upload("right-to-left name", "a\u202efdp.exe.pdf".encode(), b"%PDF-1.7"),
    Upload("name of 5,000 characters", b"a" * 5000 + b".pdf", b"%PDF-1.7"),
    Upload("name in GBK", "示范.pdf".encode("gbk"), b"%PDF-1.7"),
    Upload("name that is markup", b"<img src=x onerror=alert(1)>.pdf", b"%PDF-1.7"),
    Upload("name with quotes and lines", b'a\\"; x=\\".pdf', b"%PDF-1.7"),
    Upload("name of dots", b"....pdf", b"%PDF-1.7"),
    Upload("device name", b"CON.pdf", b"%PDF-1.7"),
    Upload("no ending", b"pdf", b"%PDF-1.7"),
    Upload("two endings", b"a.pdf.html", b"<script>window.pwned=1</script>"),
    Upload("page as PDF", b"a.pdf", b"<html><script>window.pwned=1</script>"),
    Upload("program as picture", b"a.png", b"MZ\x90\x00"),
    Upload("PDF with a page behind", b"a.pdf", b"%PDF-1.7<script>window.pwned=1</script>"),
    Upload("SVG", b"a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"/>'),
    Upload("table in GBK", b"a.csv", "成果名称\n示范\n".encode("gbk")),
    Upload("table in UTF-16", b"a.csv", "成果名称\n示范\n".encode("utf-16")),
    Upload("table of broken UTF-8", b"a.csv", b"\xe6\x88\x90\xff\xfe\n\x80\n"),
    Upload("table of NUL", b"a.csv", b"\x00" * 5000),
    Upload("table of formulas", b"a.csv", "成果名称,摘要\n=1+1,@x\n".encode()),
    Upload("table of quotes", b"a.csv", '成果名称\n"'.encode() + b"x" * 200_000),
    Upload("table of one long line", b"a.csv", "成果名称\n".encode() + b"x" * 1_000_000),
    Upload("table of 10,000 columns", b"a.csv", b",".join([b"c"] * 10_000) + b"\n1\n"),
    Upload("table without a header", b"a.csv", b"\n\n\n"),
    Upload("lines of broken JSON", b"a.jsonl", b'{"title":\n[[[[\nnull\n"x"\n'),
    Upload("lines of deep JSON", b"a.jsonl", b"[" * DEEP + b"\n"),
    Upload("a zip that is none", b"a.xlsx", b"PK\x03\x04broken"),
    Upload("wrong type said", b"a.pdf", b"%PDF-1.7", b"text/html"),
    Upload("type with a line end", b"a.pdf", b"%PDF-1.7", b"text/html\tx; charset=\xff"),
    Upload("giant header of the part", b"a.pdf", b"%PDF-1.7", headers=b"X: " + b"y" * 50_000 + b"\r\n"),
    Upload("transfer encoding", b"a.pdf", b"JVBERi0=", headers=b"Content-Transfer-Encoding: base64\r\n"),
)  # fmt: skip

# What stands where an id belongs, as bytes of the request line.
IDS: Final = (
    b"x", b"0", b"-1", b"%00", b"%ff%fe", b"%ed%a0%80", b"%2e%2e", b"..%2f..%2fetc", b"%2F", b"a%2Fb",
    b"a" * 5000, b"%E7%A4%BA" * 14, b"23456789abcde%0a", b"23456789ABCDEF", b"'%20OR%201=1--", b"%3Cscript%3E",
    b"9223372036854775808", b"1e9", b"%252e%252e", b"23456789abcdef;x=1", b"null", b"%", b"%zz", b"+",
    b"2" * 14, b"%E2%80%AE23456789abc", b"true", b"2026.0", b"02026", b"%20",
)  # fmt: skip

QUERIES: Final = (
    b"&".join(b"a%d=1" % n for n in range(10_000)),
    b"&".join([b"q=x"] * 10_000),
    b"q=" + b"x" * 60_000,
    b"%00=%00&q=%00",
    b"q=%ff%fe&q=%ed%a0%80",
    b"=&&&=;?#",
    b"page=99999999999999999999&q=%zz%",
    b"done=%3Cscript%3E&done=x&next=//evil.example&next=%0d%0aX:1",
    b"q=%E2%80%AE&kind=%E2%80%AE&state=x&field=x&region=%00",
    b"page[]=1&page[x]=2&q[$ne]=1",
)

_CSRF = b"x" * 32
HEADERS: Final = (
    Headers("a cookie that is none", ((b"cookie", b"\xff\xfe=;;==; zhihe_session"),)),
    Headers("a huge cookie", ((b"cookie", b"zhihe_session=" + b"x" * 8000),)),
    Headers("many cookies", ((b"cookie", b"; ".join(b"c%d=%d" % (n, n) for n in range(500))),)),
    Headers("many sessions", ((b"cookie", b"; ".join([b"zhihe_session=x"] * 50)),)),
    Headers("a session with NUL", ((b"cookie", b'zhihe_session=%00\x01"\\'),)),
    Headers("a token that is none", ((b"authorization", b"Bearer \xff\xfe"),)),
    Headers("an empty token", ((b"authorization", b"Bearer "),)),
    Headers("a long token", ((b"authorization", b"Bearer zh_" + b"x" * 8000),)),
    Headers("another scheme", ((b"authorization", b"Basic " + b"A" * 100),)),
    Headers("another host", ((b"host", b"evil.example"),)),
    Headers("no host", ((b"host", b""),)),
    Headers("a host with a path", ((b"host", b"127.0.0.1/x?y#z@evil.example"),)),
    Headers("a host that is none", ((b"host", b"[::1\xff"),)),
    Headers("forwarded host", ((b"x-forwarded-host", b"evil.example"), (b"forwarded", b"host=evil.example"))),
    Headers("forwarded address", ((b"x-forwarded-for", b"'\"<script>, 127.0.0.1"), (b"x-real-ip", b"::1"))),
    Headers("forwarded scheme", ((b"x-forwarded-proto", b"javascript"),)),
    Headers("rewritten address", ((b"x-original-url", b"/audit"), (b"x-rewrite-url", b"/audit"))),
    Headers("another method", ((b"x-http-method-override", b"DELETE"), (b"x-method-override", b"PUT"))),
    Headers("another origin", ((b"origin", b"http://evil.example"),)),
    Headers("an origin of null", ((b"origin", b"null"),)),
    Headers("an origin that is none", ((b"origin", b"http://[::1"),)),
    Headers("another site", ((b"sec-fetch-site", b"cross-site"),)),
    Headers("a referrer that is none", ((b"referer", b"http://[evil"), (b"hx-request", b"true"))),
    Headers("a referrer with lines", ((b"referer", b"http://127.0.0.1/\t%0d%0aX: 1"), (b"hx-request", b"true"))),
    Headers("a fragment asked for", ((b"hx-request", b"true"), (b"hx-target", b"\xff"), (b"hx-current-url", b"x"))),
    Headers("a foreign form token", ((b"x-csrf-token", _CSRF),)),
    Headers("a range", ((b"range", b"bytes=0-0,1-1,2-2,-1,9999999999999999999-"),)),
    Headers("many ranges", ((b"range", b"bytes=" + b",".join([b"0-"] * 1000)),)),
    Headers("a range that is none", ((b"range", b"bytes=a-b"),)),
    Headers("conditions", ((b"if-none-match", b"*"), (b"if-match", b'"x'), (b"if-modified-since", b"x"), (b"if-range", b"\xff"))),
    Headers("a condition of year 10^9", ((b"if-modified-since", b"Fri, 31 Dec 1000000000 23:59:59 GMT"),)),
    Headers("languages", ((b"accept-language", b"*;q=9, \xff, " + b"a," * 2000),)),
    Headers("what it accepts", ((b"accept", b"text/html;q=nope, */*;q=-1, \xff"),)),
    Headers("encodings", ((b"accept-encoding", b"gzip;q=nope, \xff"), (b"content-encoding", b"gzip"))),
    Headers("a key for once", ((b"idempotency-key", b"\xff" * 300),)),
    Headers("an empty key for once", ((b"idempotency-key", b""),)),
    Headers("an agent", ((b"user-agent", b"<script>\xff\x01" + b"x" * 4000),)),
    Headers("a length that is none", ((b"content-length", b"-1"),)),
    Headers("a length of 30 digits", ((b"content-length", b"9" * 30),)),
    Headers("a length in other digits", ((b"content-length", "٣".encode()),)),
    Headers("another upgrade", ((b"upgrade", b"websocket"), (b"connection", b"upgrade"))),
    Headers("expecting", ((b"expect", b"200-nope"),)),
    Headers("500 headers", tuple((b"x-%d" % n, b"y") for n in range(500))),
)  # fmt: skip

METHODS: Final = (
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "X" * 500,
)
