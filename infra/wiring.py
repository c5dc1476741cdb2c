"""Builds what a process needs from the settings. Nothing else chooses a database or an engine."""

import re
from contextlib import suppress
from tempfile import TemporaryFile

from infra.ledger import ledger_key_of
from infra.schema import at_head
from infra.settings import PREFIX, SettingError, Settings, secret_of
from market import (
    tables,  # noqa: F401  the metadata must be whole before a session opens
    waiting,
)
from market.accounts import repository as accounts
from market.accounts.work import Parts
from market.discovery.documents import SCHEMA
from market.kit.clock import Clock, SystemClock
from market.kit.db import Database
from market.kit.files import FileStore, LocalFiles
from market.kit.files_shared import DatabaseFiles, Moving
from market.kit.journal import Journal
from market.ledger.chain import KEEPING, Keeping, Key
from market.ledger.repository import chained
from market.payments.stripe import Cards
from market.payments.ways import BankAccount, Ways
from search.engines.tantivy import TantivyEngine, TantivyIndexes
from search.guard import Guarded
from search.port import SearchEngine
from search.rebuild import Indexes

ENGINE_SECONDS = 0.8
"""For all that one request asks of an index on other machines: the database then has a second left
of the two in which a search is answered."""
DEMONSTRATION = (
    "这个数据库里有示范数据，示范账号的密码是公开的，不能用于正式运行；"
    f"请用{PREFIX}DATA_DIR或{PREFIX}DATABASE_URL另给一个空的"
)

SHOWN = BankAccount("示范平台（示范，请勿汇款）", "示范银行示范支行", "0000 0000 0000 0000")
"""The account that the demonstration shows: its pages are whole, and no bank keeps it."""


def build_parts(settings: Settings, clock: Clock | None = None) -> Parts:
    """Open the database and the file store. Close the parts with `close_parts`.

    Raises SettingError in production for a database that holds the demonstration, whose accounts
    have a password that everyone knows, and for half the keys of Stripe; OSError for a data folder
    that cannot be written.
    """
    _check_stripe(settings)  # said by a parent: its children would begin again for ever
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=settings.data_dir):  # read-only: say so now, not with the first write
        pass
    for folder in (settings.files_dir, settings.index_dir):  # earlier versions left them open
        with suppress(FileNotFoundError, PermissionError):
            folder.chmod(0o700)
    database = Database(settings.database)
    if not settings.demo and _demonstrates(database):
        database.close()
        raise SettingError(DEMONSTRATION)
    database.info[KEEPING] = keeping_of(settings, database)
    return Parts(
        database=database,
        clock=clock or SystemClock(),
        files=files_of(settings, database),
        journal=Journal(database),
        secret=secret_of(settings),
        demo=settings.demo,
        member_moved=waiting.member_moved,
        audit_days=settings.audit_days,
        log_days=settings.log_days,
    )


def keeping_of(settings: Settings, database: Database) -> Keeping:
    """Return what the ledger needs beside its rows. Its key is made on first use: before anything
    is linked, and before any head stands outside.
    """
    begun = True
    if at_head(database):
        with database.read() as session:
            begun = chained(session) or any(settings.heads.glob("*.json"))
    secret = ledger_key_of(settings, may_begin=not begun)
    key = None if secret is None else Key(secret)
    return Keeping(key, settings.heads, settings.close_days)


def files_of(settings: Settings, database: Database) -> FileStore:
    """Return the store of files that the settings name; what is in the other one is found as well
    until `zhihe files move` has brought it over.
    """
    folder = LocalFiles(settings.files_dir)
    if database.sqlite:
        return folder
    shared = DatabaseFiles(database)
    if not settings.files_in_database:
        return Moving(to=folder, left=shared)
    return Moving(to=shared, left=folder)


def ways_of(settings: Settings) -> Ways:
    """Return the ways in which money comes in: by card only with Stripe's keys, by bank to the
    account of the settings. The demonstration has one that no bank keeps. Raises SettingError.
    """
    _check_stripe(settings)
    cards = None
    if settings.stripe_key:
        cards = Cards(
            settings.stripe_key,
            settings.stripe_webhook_secret,
            url=settings.stripe_url,
            methods=settings.stripe_methods,
        )
    bank = BankAccount(settings.bank_holder, settings.bank_name, settings.bank_account)
    return Ways(cards, SHOWN if settings.demo and bank == BankAccount() else bank)


def _check_stripe(settings: Settings) -> None:
    """Both keys or none; the stand-in's address only with a test key. No value is repeated."""
    if bool(settings.stripe_key) != bool(settings.stripe_webhook_secret):
        raise SettingError(f"{PREFIX}STRIPE_KEY和{PREFIX}STRIPE_WEBHOOK_SECRET要一起给出")
    if settings.stripe_key and not settings.stripe_key.startswith(
        ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
    ):
        raise SettingError(f"{PREFIX}STRIPE_KEY应以sk_test_、sk_live_、rk_test_或rk_live_开头")
    for name in settings.stripe_methods:
        if not re.fullmatch(r"[a-z0-9_]{2,40}", name):
            raise SettingError(f"{PREFIX}STRIPE_METHODS应是用逗号分开的名称，现在有“{name}”")
    if settings.stripe_url and "_test_" not in settings.stripe_key[:8]:
        raise SettingError(f"{PREFIX}STRIPE_URL只用于测试密钥")


def _demonstrates(database: Database) -> bool:
    with database.read() as session:
        return accounts.any_demonstration(session)


def close_parts(parts: Parts) -> None:
    parts.journal.close()
    parts.database.close()


def open_reader(settings: Settings) -> SearchEngine:
    """Open the index for searching; it may be there later."""
    return _open(settings, read_only=True)


def open_for_people(settings: Settings) -> SearchEngine:
    """Open the index for searching by people who wait: over a network, behind a guard."""
    engine = open_reader(settings)
    return Guarded(engine, ENGINE_SECONDS) if settings.search_hosts else engine


def open_writer(settings: Settings) -> SearchEngine:
    """Open the index for writing. Raises WriterBusy where another process writes, SearchUnavailable
    where it cannot be made.
    """
    return _open(settings, read_only=False)


def open_indexes(settings: Settings) -> Indexes:
    """Return where an index is built anew beside the live one."""
    if not settings.search_hosts:
        return TantivyIndexes(settings.index_dir, SCHEMA)
    from infra import elastic  # noqa: PLC0415 - as below

    return elastic.indexes(settings, SCHEMA)


def _open(settings: Settings, *, read_only: bool) -> SearchEngine:
    if not settings.search_hosts:
        return TantivyEngine(settings.index_dir, SCHEMA, read_only=read_only)
    from infra import elastic  # noqa: PLC0415 - the client is loaded only where it is used

    return elastic.open_engine(settings, SCHEMA, read_only=read_only)
