"""Empties a PostgreSQL database that a test has used: a tenth of the work of making another one."""
from __future__ import annotations

import time

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

_SECONDS_TO_LEAVE = 0.2

_OTHERS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# Whoever adds, changes or takes away a table, column, rule, function or right leaves other rows behind.
_SHAPE = """
    SELECT (SELECT sum(hashtextextended(concat(oid, relname, relkind, relowner, relacl, reloptions), 0)) FROM pg_class),
           (SELECT sum(xmin::text::bigint) FROM pg_attribute), (SELECT sum(xmin::text::bigint) FROM pg_attrdef),
           (SELECT sum(xmin::text::bigint) FROM pg_constraint), (SELECT sum(xmin::text::bigint) FROM pg_trigger),
           (SELECT sum(xmin::text::bigint) FROM pg_proc), (SELECT sum(xmin::text::bigint) FROM pg_namespace),
           (SELECT sum(xmin::text::bigint) FROM pg_index), (SELECT sum(xmin::text::bigint) FROM pg_type),
           (SELECT count(*) FROM pg_statistic), (SELECT string_agg(version_num, ' ') FROM alembic_version)
"""
_USED = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""
_BEGIN_NUMBERS_ANEW = """
    SELECT setval(seqrelid, seqstart, false) FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""

Shape = TupleRow


def shape_of(connection: Connection) -> Shape:
    """What the tables are like, whatever is in them."""
    found = connection.execute(_SHAPE).fetchone()
    assert found is not None
    return found


def rinse(connection: Connection, shape: Shape) -> bool:
    """Whether the database is as good as new now: not where somebody stays connected, or where it has another shape.

    The emptied files are cut to nothing, so that rows come in the order in which the next test writes them.
    """
    if not _is_alone(connection) or shape_of(connection) != shape:
        return False
    used = [Identifier(name) for name, in connection.execute(_USED)]
    if used:
        connection.execute("SET session_replication_role = replica")  # no trigger fires, no foreign key is asked
        connection.execute(SQL("; ").join(SQL("DELETE FROM {}").format(name) for name in used))
        connection.execute(SQL("VACUUM {}").format(SQL(", ").join(used)))
    connection.execute(_BEGIN_NUMBERS_ANEW)
    return connection.execute(_USED).fetchone() is None


def _is_alone(connection: Connection) -> bool:
    end = time.monotonic() + _SECONDS_TO_LEAVE
    while connection.execute(_OTHERS).fetchone():
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True
