"""What the operator has to know of the processes and of the last routine work."""

from datetime import datetime

from sqlmodel import Field

from market.kit.columns import Table, big, moment, words


class ProcessSeen(Table, table=True):
    """The sign of life of one process, written again every few seconds.

    A process that ends in order takes its row with it; one that was killed leaves it, and
    `seen_at` stands still. `place` is its machine and process number, `busy` says what it does.
    """

    __tablename__ = "process_seen"

    kind: str = Field(primary_key=True, max_length=20)
    place: str = Field(primary_key=True, max_length=80)
    version: str = words(40)
    started_at: datetime = moment()
    seen_at: datetime = moment()
    busy: str = words(40)
    memory_bytes: int = big()


class OperationMark(Table, table=True):
    """When a routine work (a backup, an audit, what is past its time) was last done, and how it
    ended. One row a name, written again each time.
    """

    __tablename__ = "operation_mark"

    name: str = Field(primary_key=True, max_length=40)
    at: datetime = moment()
    good: bool = Field()
    detail: str = words(300, default="")
