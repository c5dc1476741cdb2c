"""Logs of a process: one line an event, as JSON for programs or as text for people.

Lines name ids, routes, counts and places in the code. They never hold what people entered: of an
exception its class and frames are kept (`market.kit.faults`), its message only where the data are
the demonstration's. Written to standard error for the supervisor, and with `ZHIHE_LOG_DIR` also to
a file a day, kept for `ZHIHE_LOG_DAYS`.
"""

import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor

from infra.settings import LogFormat, Settings
from market.kit import faults
from market.kit.clock import local_date

log = logging.getLogger("zhihe.process")
FIELDS = "fields"


def configure(process: str, settings: Settings) -> None:
    """Send everything that this process logs, its libraries and warnings included, to the logs."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _fields,
        _Failure(with_message=settings.demo),
    ]
    text = settings.log_format is LogFormat.TEXT
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _Line(process, as_text=text),
        ],
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.log_dir is not None:
        handlers.append(DayFiles(settings.log_dir, process, settings.log_days))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("zhihe").setLevel(settings.log_level.upper())
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Return the `extra` of a log call that puts `values` into the line."""
    return {FIELDS: values}


def _fields(_logger: object, _name: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    event["created"] = record.created
    event.update(getattr(record, FIELDS, {}))
    return event


class _Failure:
    def __init__(self, *, with_message: bool) -> None:
        self._with_message = with_message

    def __call__(self, _logger: object, _name: str, event: EventDict) -> EventDict:
        given = event.pop("exc_info", None)
        error = given[1] if isinstance(given, tuple) else given
        if not isinstance(error, BaseException):
            return event
        event["error"] = faults.what(error)
        event["frames"] = faults.frames(error)
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            event["cause"] = faults.told(cause)
        if self._with_message:
            event["message"] = str(error)[:500]
        return event


class _Line:
    """The last step: an event as one line."""

    def __init__(self, process: str, *, as_text: bool) -> None:
        self._process = process
        self._as_text = as_text

    def __call__(self, _logger: object, _name: str, event: EventDict) -> str:
        now = datetime.fromtimestamp(event.pop("created"), UTC)
        told, level = str(event.pop("event", "")), event.pop("level", "")
        if self._as_text:
            return self._text(now, level, told, event)
        line = {
            "at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "process": self._process,
            "pid": os.getpid(),
            "event": told,
            **event,
        }
        return json.dumps(line, ensure_ascii=False, default=repr)

    def _text(self, now: datetime, level: str, told: str, event: EventDict) -> str:
        event.pop("logger", None)
        frames = event.pop("frames", ())
        more = "".join(f" {name}={value}" for name, value in event.items() if value is not None)
        time = now.astimezone().strftime("%H:%M:%S")
        return "\n    ".join([f"{time} {self._process} {level}: {told}{more}", *frames])


class DayFiles(logging.Handler):
    """A file a day, `web-2026-11-22.log`, by the day in China.

    Several processes of one kind may append to the same file: a line is one write. Files older
    than `days` are deleted when a new one begins. A full disk loses lines here, not elsewhere.
    """

    def __init__(self, folder: Path, process: str, days: int) -> None:
        super().__init__()
        self._folder = folder
        self._process = process
        self._days = days
        self._day = ""
        self._descriptor = -1
        folder.mkdir(parents=True, exist_ok=True)

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record) + "\n"
        try:
            self._turn_to(datetime.now(UTC))
            os.write(self._descriptor, line.encode("utf-8", "replace"))
        except OSError:
            self._day = ""  # open it anew for the next line

    def _turn_to(self, now: datetime) -> None:
        day = local_date(now).isoformat()
        if day == self._day:
            return
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        path = self._folder / f"{self._process}-{day}.log"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self._day = day
        self._expire(now)

    def _expire(self, now: datetime) -> None:
        oldest = (local_date(now) - timedelta(days=self._days)).isoformat()
        keep_from = f"{self._process}-{oldest}.log"
        for path in self._folder.glob(f"{self._process}-????-??-??.log"):
            if path.name < keep_from:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()


def _uncaught(
    kind: type[BaseException], error: BaseException, frames: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("the process ends on a failure", exc_info=(kind, error, frames))


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not issubclass(given.exc_type, SystemExit):
        log.error("a thread ended on a failure", exc_info=given.exc_value)
