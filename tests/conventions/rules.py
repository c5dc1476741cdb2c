"""The house rules that no linter knows, each a function from files to complaints.

A tree is `{path: text}` with paths from the top. A complaint names file, line and rule.
"""

import ast
import re
from collections.abc import Iterator, Mapping

Tree = Mapping[str, str]

LONGEST_FILE, LONGEST_FUNCTION = 400, 50
ROOMS = ("search/", "market/", "frontend/", "infra/")
MIGRATIONS = "infra/migrations/"
READERS_OF_THE_ENVIRONMENT = {"infra/settings.py", "infra/processes.py", "run.py"}

STRIPE = "market/payments/stripe.py"
_SQL_MAKERS = {"select", "update", "delete", "insert", "text", "exists", "union", "union_all"}
_SQL_RUNNERS = {"exec", "execute", "scalar", "scalars"}

# A letter in brackets keeps a pattern from finding itself: this file is looked through as well.
FORBIDDEN = {
    "a place on one machine": (r"(?<!\w)/[w]ork/", "/[r]oot/", "/[t]mp/brief"),
    "a package registry's host": (
        r"[p]ypi\.org",
        "[p]ythonhosted",
        r"[n]pmjs\.",
        "[n]pmmirror",
        r"[d]ebian\.org",
        r"[c]rates\.io",
        r"[/]/mirrors?\.",
    ),
    "how the code came about": (
        r"\b[c]laude\b",
        "[a]nthropic",
        r"\b[o]penai\b",
        "[c]hatgpt",
        "[c]opilot",
        r"\b[A]I assistant",
        r"\b[s]ub-?agents?\b",
        r"\b[b]rief\.md",
        r"\b[t]his workplace",
        "[b]efore-stop",
    ),
}


def python(tree: Tree, *, under: tuple[str, ...] = ROOMS) -> Iterator[tuple[str, ast.Module]]:
    for path, text in tree.items():
        if path.endswith(".py") and path.startswith(under):
            yield path, ast.parse(text)


def too_long(tree: Tree) -> Iterator[str]:
    """Files over 400 lines and functions over 50, but for migrations."""
    for path, module in python(tree, under=(*ROOMS, "run.py")):
        if path.startswith(MIGRATIONS):
            continue
        lines = tree[path].count("\n")
        if lines > LONGEST_FILE:
            yield f"{path}: {lines} lines"
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{path}:{node.lineno}: {node.name} has {lines} lines"


def sql_outside_repositories(tree: Tree) -> Iterator[str]:
    """Makers of SQL imported, or a session running one, outside a repository and kit.

    `text` in models.py is the condition of a partial index.
    """
    for path, module in python(tree):
        name = path.rsplit("/", 1)[-1]
        if path.startswith(("market/kit/", "infra/migrat")) or name.startswith("repository"):
            continue
        makers = _SQL_MAKERS - ({"text"} if name == "models.py" else set())
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom):
                origin = (node.module or "").split(".")[0]
                for item in node.names:
                    if origin in {"sqlalchemy", "sqlmodel"} and item.name in makers:
                        yield f"{path}:{node.lineno}: imports {item.name}"
            elif isinstance(node, ast.Call) and _runs_sql(node.func):
                yield f"{path}:{node.lineno}: runs {ast.unparse(node.func)}"


def _runs_sql(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute):
        return False
    owner = ast.unparse(function.value).rsplit(".", 1)[-1].lower()
    runners = _SQL_RUNNERS | {"get", "query"} if owner == "session" else _SQL_RUNNERS
    return function.attr in runners and owner.endswith(("session", "connection", "engine"))


def environment_read_elsewhere(tree: Tree) -> Iterator[str]:
    """Anything of os.environ outside the settings, run.py and the launcher's lifeline."""
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}
    for path, module in python(tree, under=(*ROOMS, "run.py")):
        if path in READERS_OF_THE_ENVIRONMENT:
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("os."):
                found = {node.attr} & names
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                found = {item.name for item in node.names} & names
            else:
                continue
            for name in found:
                yield f"{path}:{node.lineno}: {name}"


def htmx_headers_elsewhere(tree: Tree) -> Iterator[str]:
    """Only frontend/render.py knows HTMX's headers."""
    for path, text in tree.items():
        if path.endswith(".py") and path.startswith(ROOMS) and path != "frontend/render.py":
            for number, line in enumerate(text.splitlines(), 1):
                if re.search(r"\bHX-", line):
                    yield f"{path}:{number}: HX-"


def stripe_unverified(tree: Tree) -> Iterator[str]:
    """Only market/payments/stripe.py imports Stripe's library, and nothing takes an event that was
    not verified both ways: the library's own readers let some pass.
    """
    readers = {"construct_event", "construct_event_without_verification", "parse_event"}
    for path, module in python(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and node.attr in readers:
                yield f"{path}:{node.lineno}: {node.attr}"
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [item.name for item in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if path != STRIPE and any(name.split(".")[0] == "stripe" for name in names):
                yield f"{path}:{node.lineno}: imports stripe"


def forbidden_words(tree: Tree) -> Iterator[str]:
    """The repository speaks of the product only."""
    for path, text in tree.items():
        for what, patterns in FORBIDDEN.items():
            for pattern in patterns:
                for match in re.finditer(pattern, text, re.IGNORECASE):
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{path}:{line}: {match[0]} is {what}"


def registries_in_locks(tree: Tree) -> Iterator[str]:
    """Lock files name packages and hashes and leave the registry to the machine."""
    for number, line in enumerate(tree["requirements.lock"].splitlines(), 1):
        if "://" in line or line.startswith("-"):
            yield f"requirements.lock:{number}: {line.strip()}"
    for number, line in enumerate(tree["package-lock.json"].splitlines(), 1):
        if '"resolved"' in line and "://" in line:
            yield f"package-lock.json:{number}: {line.strip()}"
