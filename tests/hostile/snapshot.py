"""A PostgreSQL database as it stood; put back after each request that changed it."""

from sqlalchemy import NullPool, create_engine

from market.tables import metadata


class PostgresSnapshot:
    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)
        self._tables = [f'"{table.name}"' for table in metadata().sorted_tables]
        self._rows: dict[str, bytes] = {}
        with self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            for table in self._tables:
                with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                    self._rows[table] = b"".join(bytes(block) for block in copy)

    def restore(self) -> None:
        with self._engine.begin() as connection:
            cursor = connection.connection.cursor()
            # Neither foreign keys nor the triggers of what may only be added to.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(f"TRUNCATE {', '.join(self._tables)}")
            for table, rows in self._rows.items():
                if rows:
                    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        copy.write(rows)
            cursor.execute("SET session_replication_role = DEFAULT")
