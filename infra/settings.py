"""The only reader of the environment. A wrong value fails at the start, by name.

Every setting is documented in `docs/settings.md`; a test holds the two together.
"""

import contextlib
import os
import re
import secrets
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "ZHIHE_"
SECRET_LENGTH = 32
TOKEN_LENGTH = 16


class SettingError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


class Mode(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class FileKeeping(StrEnum):
    FOLDER = "folder"
    DATABASE = "database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment decides. Names in the environment: ZHIHE_ and the field in capitals."""

    mode: Mode = Mode.DEMO
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    files: FileKeeping | None = None
    search_url: str = field(default="", repr=False)
    search_api_key: str = field(default="", repr=False)
    search_ca: Path | None = None
    search_prefix: str = "zhihe"
    search_shards: int = 1
    search_replicas: int | None = None
    secret: str = field(default="", repr=False)
    ledger_key: str = field(default="", repr=False)
    heads_dir: Path | None = None
    close_days: int = 10
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    secure_cookies: bool = False
    icp: str = ""
    police: str = ""
    operator: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    contact_address: str = ""
    audit_days: int = 365
    match_floor: float = 0.09
    match_feedback: bool = True
    log_format: LogFormat = LogFormat.TEXT
    log_level: LogLevel = LogLevel.WARNING
    log_dir: Path | None = None
    log_days: int = 190
    metrics_token: str = field(default="", repr=False)
    stop_seconds: int = 20
    stripe_key: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_methods: tuple[str, ...] = ()
    stripe_url: str = ""
    bank_holder: str = ""
    bank_name: str = ""
    bank_account: str = ""

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'zhihe.db'}"

    @property
    def search_hosts(self) -> list[str]:
        """Return the addresses of Elasticsearch; without any the index lies in the data folder."""
        return list(dict.fromkeys(_list(self.search_url)))

    @property
    def files_in_database(self) -> bool:
        """Tell where files are kept: with the rows, unless that is SQLite or said otherwise."""
        if self.files is None:
            return not self.database.startswith("sqlite")
        return self.files is FileKeeping.DATABASE

    @property
    def index_dir(self) -> Path:
        return self.data_dir / "index"

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def heads(self) -> Path:
        """Return the folder of the signed files that tell how far the ledger goes."""
        return self.heads_dir or self.data_dir / "heads"

    @property
    def allowed_hosts(self) -> list[str]:
        """Return the Host headers that are answered; everything else is refused."""
        return [*self.hosts] or ["127.0.0.1", "localhost", "[::1]", self.host]

    @property
    def demo(self) -> bool:
        return self.mode is Mode.DEMO


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingError for an unknown name or a wrong value.

    In demo mode a missing secret is made and kept in the data folder; production refuses to start
    without one.
    """
    source = os.environ if environment is None else environment
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in source.items()
        if name.startswith(PREFIX)
    }
    _read_files(given)
    given.pop("lifeline", None)  # the launcher's sign to its children, see infra/processes.py
    known = {item.name for item in fields(Settings)}
    if unknown := sorted(set(given) - known):
        raise SettingError(f"没有名为{PREFIX}{unknown[0].upper()}的设置，可用的见 docs/settings.md")
    if given.get("mode") == Mode.PRODUCTION:
        given.setdefault("secure_cookies", "1")  # sessions over plain HTTP only where one says so
        given.setdefault("log_format", LogFormat.JSON)
        given.setdefault("log_level", LogLevel.INFO)
    settings = Settings(**{name: _parse(name, value) for name, value in given.items()})  # type: ignore[arg-type]
    _check_search(settings)
    if settings.files_in_database and settings.database.startswith("sqlite"):
        raise SettingError(f"{PREFIX}FILES=database要和PostgreSQL的{PREFIX}DATABASE_URL一起给出")
    if settings.mode is Mode.PRODUCTION:
        if len(settings.secret) < SECRET_LENGTH:
            raise SettingError(
                f"正式运行需要{PREFIX}SECRET，至少{SECRET_LENGTH}个字符，"
                f"现在是{len(settings.secret)}个"
            )
        if not settings.hosts:
            raise SettingError(f"正式运行需要{PREFIX}HOSTS，写对外的域名，多个用逗号分开")
        _require_contact(settings)
    return settings


def _require_contact(settings: Settings) -> None:
    """Whoever handles personal data says who that is and how to be reached (个人信息保护法 17)."""
    if not settings.operator:
        raise SettingError(f"正式运行需要{PREFIX}OPERATOR，写运营者的名称，隐私政策和页脚会公布")
    if not (settings.contact_email or settings.contact_phone):
        raise SettingError(
            f"正式运行需要{PREFIX}CONTACT_EMAIL或{PREFIX}CONTACT_PHONE，"
            "写个人信息事务的联系方式，隐私政策和页脚会公布"
        )


def _check_search(settings: Settings) -> None:
    """What the settings of Elasticsearch must be together."""
    addresses = [urlsplit(host) for host in settings.search_hosts]
    if settings.search_api_key:
        if not addresses:
            raise SettingError(f"{PREFIX}SEARCH_API_KEY要和{PREFIX}SEARCH_URL一起给出")
        if any(address.username is not None for address in addresses):
            raise SettingError(f"{PREFIX}SEARCH_API_KEY和{PREFIX}SEARCH_URL里的用户只能给出一个")
    if settings.search_ca and not all(address.scheme == "https" for address in addresses):
        raise SettingError(f"{PREFIX}SEARCH_CA只用于https://开头的{PREFIX}SEARCH_URL")


def child_environment(**given: str) -> dict[str, str]:
    """Return this process's environment with just these settings, for a program started anew."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return rest | {f"{PREFIX}{name.upper()}": value for name, value in given.items()}


def _read_files(given: dict[str, str]) -> None:
    """Take a secret from the file that ZHIHE_…_FILE names, as containers are given theirs."""
    for name in (
        "secret",
        "ledger_key",
        "database_url",
        "search_url",
        "search_api_key",
        "metrics_token",
        "stripe_key",
        "stripe_webhook_secret",
    ):
        path = given.pop(f"{name}_file", None)
        if path is None:
            continue
        setting = f"{PREFIX}{name.upper()}"
        if name in given:
            raise SettingError(f"{setting}和{setting}_FILE只能给出一个")
        try:
            given[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingError(f"{setting}_FILE指的文件读不出来：{path}") from None


def _parse(name: str, value: str) -> object:
    parsers: dict[str, Callable[[str], object]] = {
        "mode": _mode,
        "data_dir": Path,
        "database_url": _database,
        "search_url": _search,
        "search_ca": _certificate,
        "search_prefix": _prefix,
        "search_shards": lambda given: _whole("SEARCH_SHARDS", given, 1, 64),
        "search_replicas": lambda given: _whole("SEARCH_REPLICAS", given, 0, 8) if given else None,
        "files": lambda given: _one_of(FileKeeping, "FILES", given) if given else None,
        "ledger_key": _ledger_key,
        "heads_dir": lambda given: Path(given) if given else None,
        "close_days": lambda given: _whole("CLOSE_DAYS", given, 0, 60),
        "port": _port,
        "hosts": _list,
        "trusted_proxies": _list,
        "stripe_methods": _list,
        "secure_cookies": _flag,
        "match_floor": _share,
        "match_feedback": lambda given: _flag(given, "MATCH_FEEDBACK"),
        "log_format": lambda given: _one_of(LogFormat, "LOG_FORMAT", given),
        "log_level": lambda given: _one_of(LogLevel, "LOG_LEVEL", given),
        "log_dir": lambda given: Path(given) if given else None,
        "log_days": lambda given: _whole("LOG_DAYS", given, 183, 3660),
        "audit_days": lambda given: _whole("AUDIT_DAYS", given, 183, 3660),
        "metrics_token": _token,
        "stop_seconds": lambda given: _whole("STOP_SECONDS", given, 1, 600),
    }
    parse = parsers.get(name)
    return parse(value) if parse else value


def _mode(value: str) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        raise SettingError(f"{PREFIX}MODE应为demo或production，现在是“{value}”") from None


def _one_of(known: type[StrEnum], name: str, value: str) -> StrEnum:
    try:
        return known(value)
    except ValueError:
        choices = "、".join(known)
        raise SettingError(f"{PREFIX}{name}应为{choices}之一，现在是“{value}”") from None


def _whole(name: str, value: str, low: int, high: int) -> int:
    if value.isascii() and value.isdecimal() and len(value) < 10 and low <= int(value) <= high:
        return int(value)
    raise SettingError(f"{PREFIX}{name}应为{low}到{high}的整数，现在是“{value}”")


def _token(value: str) -> str:
    """The value is not repeated: it is a secret."""
    if value and (len(value) < TOKEN_LENGTH or not value.isascii() or not value.isprintable()):
        raise SettingError(f"{PREFIX}METRICS_TOKEN应为至少{TOKEN_LENGTH}个字母、数字或符号")
    return value


def _ledger_key(value: str) -> str:
    """The value is not repeated: it is a secret."""
    if value and len(value) < SECRET_LENGTH:
        raise SettingError(f"{PREFIX}LEDGER_KEY至少{SECRET_LENGTH}个字符，现在是{len(value)}个")
    return value


def _port(value: str) -> int:
    if value.isdecimal() and 0 < int(value) < 65_536:
        return int(value)
    raise SettingError(f"{PREFIX}PORT应为1到65535的整数，现在是“{value}”")


def _database(value: str) -> str:
    """The value is not repeated: it holds a password."""
    if value.startswith(("postgresql+psycopg://", "sqlite:///")):
        return value
    raise SettingError(f"{PREFIX}DATABASE_URL应以postgresql+psycopg://或sqlite:///开头，现在不是")


def _search(value: str) -> str:
    """The value is not repeated: it may hold a password."""
    for host in _list(value):
        try:
            address = urlsplit(host)
            complete = address.scheme in ("http", "https") and address.hostname and address.port
        except ValueError:
            complete = False
        if not complete or address.query or address.fragment:
            raise SettingError(
                f"{PREFIX}SEARCH_URL应是http://或https://开头、写明端口的地址，多个用逗号分开；"
                "用户和口令里的特殊字符写成%加两位十六进制数"
            )
    return value


def _certificate(value: str) -> Path | None:
    if not value:
        return None
    try:
        ssl.create_default_context(cafile=value)
    except (OSError, ssl.SSLError):
        raise SettingError(f"{PREFIX}SEARCH_CA应是PEM证书文件，现在读不出来：{value}") from None
    return Path(value)


def _prefix(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", value):
        return value
    raise SettingError(
        f"{PREFIX}SEARCH_PREFIX应以小写字母开头，只有小写字母、数字、_和-，不超过40个，现在是“{value}”"
    )


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _flag(value: str, name: str = "SECURE_COOKIES") -> bool:
    if value in ("0", "1"):
        return value == "1"
    raise SettingError(f"{PREFIX}{name}应为0或1，现在是“{value}”")


def _share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise SettingError(f"{PREFIX}MATCH_FLOOR应为0到1之间的数，现在是“{value}”")
    return share


def secret_of(settings: Settings) -> bytes:
    """Return the deployment's secret; in demo mode made once and kept in the data folder."""
    if settings.secret:
        return settings.secret.encode()
    path = settings.data_dir / "secret"
    if kept := _kept(path):
        return kept
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return keep_secret(path, secrets.token_urlsafe(SECRET_LENGTH).encode())


def keep_secret(path: Path, fresh: bytes) -> bytes:
    """Write a secret whole or not at all, readable by its owner alone; return what is kept there.

    Of two processes the first one's is kept. An empty file is what a start that was cut short
    left in earlier versions, and counts as none.
    """
    descriptor, name = tempfile.mkstemp(prefix="secret-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not path.stat().st_size:
            path.unlink()
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
    return _kept(path)


def _kept(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
