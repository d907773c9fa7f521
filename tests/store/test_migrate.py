from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic import paths
from clinic.store import Row, guards, migrate
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import OpeningHours
from clinic.store.engine import for_writing, open_engine
from clinic.store.migrate import CannotMigrate, DataLoss
from clinic.store.occupancy import OccupancyChange
from clinic.store.resources import Patient
from tests.databases import DatabasesOf, is_full
from tests.store.revisions import ADDED, all_revisions, start_upgrade, with_revision
from tests.store.rows import NOW, Ids, add_appointment, hold, open_clinic
from tests.store.schema import names_of, schema_of

HOUR = timedelta(hours=1)
STRIDE = 1 if is_full() else 9

ALTER_PARENTS = """
    with altered("clinic") as clinic:
        clinic.add_column(sa.Column("motto", sa.Text, nullable=False, server_default="Calm"))
        clinic.create_check_constraint("motto", "motto <> ''")  # for which SQLite has to copy the table
    with altered("appointment") as appointment:
        appointment.add_column(sa.Column("asked_at", instant()))
        appointment.alter_column("treatment_code", type_=sa.String(80), existing_type=sa.Text)
    op.create_table("locker", sa.Column("id", sa.Integer, primary_key=True), sa.Column("code", sa.Text))
    op.execute("INSERT INTO locker (id, code) VALUES (1, '0000')")
"""
UNDO_PARENTS = """
    op.drop_table("locker")
    with altered("appointment") as appointment:
        appointment.alter_column("treatment_code", type_=sa.Text, existing_type=sa.String(80))
        appointment.drop_column("asked_at")
    with altered("clinic") as clinic:
        clinic.drop_constraint("motto", type_="check")
        clinic.drop_column("motto")
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    opened = open_engine(empty_database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations with one more that alters two parents and adds a table."""
    return use(with_revision(tmp_path, ALTER_PARENTS, UNDO_PARENTS), monkeypatch)


def use(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "migrations", lambda: scripts)
    return scripts


def fill(engine: Engine) -> Ids:
    """The small clinic, open on Mondays, with an appointment that holds its room."""
    ids = open_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.add(OpeningHours(clinic_id=ids.clinic, weekday=0, opens=540, closes=1080))
        hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)
        db.commit()
    return ids


def rows_of(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in Row.metadata.sorted_tables
        }


def test_a_database_is_nothing_then_current_then_nothing(empty: Engine) -> None:
    revisions = [migrate.revision_of(empty)]

    migrate.upgrade(empty)
    revisions.append(migrate.revision_of(empty))
    current = migrate.is_current(empty)
    migrate.downgrade(empty, "base")
    revisions.append(migrate.revision_of(empty))

    assert (revisions, current, migrate.is_current(empty)) == ([None, all_revisions()[-1], None], True, False)
    assert schema_of(empty) == {}


def test_every_revision_goes_up_and_down_and_up(empty: Engine) -> None:
    for before, revision in zip(["base", *all_revisions()], all_revisions(), strict=False):
        lower = schema_of(empty)
        migrate.upgrade(empty, revision)
        upper = schema_of(empty)

        migrate.downgrade(empty, before)
        assert schema_of(empty) == lower

        migrate.upgrade(empty, revision)
        assert schema_of(empty) == upper


def test_upgrading_a_current_database_changes_nothing(engine: Engine) -> None:
    fill(engine)
    schema, rows = schema_of(engine), rows_of(engine)

    migrate.upgrade(engine)

    assert (schema_of(engine), rows_of(engine)) == (schema, rows)


def test_autogenerate_finds_no_difference_to_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Row.metadata) == []


def test_the_migrations_leave_the_schema_of_the_models(empty: Engine) -> None:
    migrate.upgrade(empty)
    migrated = schema_of(empty)
    migrate.downgrade(empty, "base")

    with for_writing(empty).begin() as connection:
        Row.metadata.create_all(connection)
        for statement in guards.statements(empty.dialect.name):
            connection.exec_driver_sql(statement)

    assert migrated == schema_of(empty)


def test_the_migrations_leave_every_guard_and_no_other(engine: Engine) -> None:
    schema = schema_of(engine)
    functions = {name for name, (first, *_) in guards.POSTGRESQL.items() if first.startswith("CREATE FUNCTION")}
    expected = {
        "sqlite": (set(guards.SQLITE), set(), set()),
        "postgresql": (set(guards.POSTGRESQL) - {guards.OVERLAP}, functions, {guards.OVERLAP}),
    }[engine.dialect.name]

    exclusions = {name for (kind, name), text in schema.items() if kind == "constraint" and "EXCLUDE" in text}

    assert (names_of(schema, "trigger"), names_of(schema, "function"), exclusions) == expected


def test_altered_parents_keep_their_children_and_every_guard(engine: Engine, scripts: Path) -> None:
    fill(engine)
    before, rows = schema_of(engine), rows_of(engine)

    migrate.upgrade(engine)

    after = schema_of(engine)
    assert migrate.revision_of(engine) == ADDED
    assert rows_of(engine) == rows
    assert names_of(after, "table" if engine.dialect.name == "sqlite" else "column") > names_of(before, "table")
    for kind in ("trigger", "function", "index"):
        assert names_of(after, kind) - {"locker_pkey", "pk_locker"} == names_of(before, kind)


def test_the_guards_work_after_a_parent_was_altered(engine: Engine, scripts: Path) -> None:
    ids = fill(engine)

    migrate.upgrade(engine)

    with Session(for_writing(engine)) as db, pytest.raises(IntegrityError, match=guards.OVERLAP):
        hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)


def test_altered_parents_go_back_to_what_they_were(engine: Engine, scripts: Path) -> None:
    fill(engine)
    before, rows = schema_of(engine), rows_of(engine)

    migrate.upgrade(engine)
    migrate.downgrade(engine, all_revisions()[-1], accept_data_loss=True)

    assert (schema_of(engine), rows_of(engine)) == (before, rows)


def test_foreign_keys_are_enforced_again_after_a_migration(engine: Engine, scripts: Path) -> None:
    fill(engine)

    migrate.upgrade(engine)

    with pytest.raises(IntegrityError), for_writing(engine).begin() as connection:
        connection.execute(sa.text("UPDATE opening_hours SET clinic_id = 99"))


def test_a_migration_that_fails_half_way_changes_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(engine)
    schema, rows = schema_of(engine), rows_of(engine)
    use(with_revision(tmp_path, ALTER_PARENTS + "    raise RuntimeError('the power went')"), monkeypatch)

    with pytest.raises(RuntimeError, match="the power went"):
        migrate.upgrade(engine)

    assert migrate.revision_of(engine) == all_revisions()[-1]
    assert (schema_of(engine), rows_of(engine)) == (schema, rows)


def test_a_migration_that_leaves_rows_pointing_nowhere_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(engine)
    schema, rows = schema_of(engine), rows_of(engine)
    use(with_revision(tmp_path, 'op.execute("DELETE FROM patient")'), monkeypatch)

    with pytest.raises((CannotMigrate, IntegrityError), match=r"appointment"):
        migrate.upgrade(engine)

    assert migrate.revision_of(engine) == all_revisions()[-1]
    assert (schema_of(engine), rows_of(engine)) == (schema, rows)


def test_a_downgrade_that_would_drop_filled_tables_is_refused(engine: Engine) -> None:
    fill(engine)
    rows = rows_of(engine)

    with pytest.raises(DataLoss, match=r"table appointment \(1 rows\), table clinic \(1 rows\).*accept-data-loss"):
        migrate.downgrade(engine, "base")

    assert migrate.is_current(engine)
    assert rows_of(engine) == rows


def test_a_downgrade_that_would_drop_a_filled_column_is_refused(engine: Engine, scripts: Path) -> None:
    migrate.upgrade(engine)
    with for_writing(engine).begin() as connection:
        connection.execute(sa.text("DELETE FROM locker"))
    open_clinic(engine)

    with pytest.raises(DataLoss, match=r"would lose column clinic\.motto \(1 values\)\. Nothing was changed"):
        migrate.downgrade(engine, all_revisions()[-1])

    assert migrate.revision_of(engine) == ADDED


def test_a_downgrade_that_drops_only_what_is_empty_goes_through(engine: Engine, scripts: Path) -> None:
    migrate.upgrade(engine)
    with for_writing(engine).begin() as connection:
        connection.execute(sa.text("DELETE FROM locker"))

    migrate.downgrade(engine, all_revisions()[-1])

    assert migrate.revision_of(engine) == all_revisions()[-1]


def test_an_accepted_loss_goes_through(engine: Engine) -> None:
    fill(engine)
    with Session(for_writing(engine)) as db:
        db.add(AuditEntry(at=NOW, actor="desk", action="course.booked", subject_kind="course", subject_id=1))
        db.commit()

    migrate.downgrade(engine, "base", accept_data_loss=True)

    assert schema_of(engine) == {}


def test_a_database_of_a_newer_version_is_refused_in_words(engine: Engine) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))

    with pytest.raises(CannotMigrate, match="written by a newer version"):
        migrate.upgrade(engine)

    assert not migrate.is_current(engine)


def test_four_machines_that_upgrade_at_once_do_it_once(empty_database_url: str, empty: Engine) -> None:
    machines = [start_upgrade(empty_database_url) for _ in range(4)]
    for machine in machines:
        machine.join(120)

    assert [machine.exitcode for machine in machines] == [0, 0, 0, 0]
    assert migrate.is_current(empty)


def test_a_first_migration_killed_anywhere_leaves_nothing_behind(empty_database_url: str, empty: Engine) -> None:
    killed = 0

    for statement in range(1, 2000, STRIDE * 5):
        upgrade = start_upgrade(empty_database_url, kill_at=statement)
        upgrade.join(120)
        if upgrade.exitcode == 0:
            break
        assert upgrade.exitcode == -signal.SIGKILL
        assert (migrate.revision_of(empty), schema_of(empty)) == (None, {})
        killed += 1

    assert killed > 100 // (STRIDE * 5)
    assert migrate.is_current(empty)


def test_a_later_migration_killed_anywhere_leaves_the_old_or_the_new(
    database_url: str, engine: Engine, scripts: Path,
) -> None:
    fill(engine)
    schema, rows = schema_of(engine), rows_of(engine)
    killed = 0

    for statement in range(1, 1000, STRIDE):
        upgrade = start_upgrade(database_url, scripts, kill_at=statement)
        upgrade.join(120)
        if upgrade.exitcode == 0:
            break
        assert upgrade.exitcode == -signal.SIGKILL
        assert migrate.revision_of(engine) == all_revisions()[-1]
        assert (schema_of(engine), rows_of(engine)) == (schema, rows)
        killed += 1

    assert killed >= 2
    assert (migrate.revision_of(engine), rows_of(engine)) == (ADDED, rows)


@pytest.fixture
def bare(databases_of: DatabasesOf) -> Iterator[Engine]:
    """An empty PostgreSQL database, as its administrator sees it."""
    databases = databases_of("postgresql")
    url = databases.empty()
    opened = open_engine(url)
    yield opened
    opened.dispose()
    databases.remove(url)


@pytest.mark.postgres
def test_an_account_that_may_not_make_the_extension_is_told_whom_to_ask(bare: Engine) -> None:
    with bare.begin() as connection:
        connection.execute(sa.text("CREATE ROLE clerk LOGIN"))
    clerk = open_engine(bare.url.set(username="clerk"))

    with pytest.raises(CannotMigrate, match="administrator to run CREATE EXTENSION btree_gist"):
        migrate.upgrade(clerk)

    clerk.dispose()
    with bare.begin() as connection:
        connection.execute(sa.text("DROP ROLE clerk"))


@pytest.mark.postgres
def test_a_server_without_the_extension_is_refused_in_words(bare: Engine) -> None:
    with bare.begin() as connection:
        # A view that is found before the server's own: what a server without contrib would answer.
        connection.execute(sa.text(
            "CREATE VIEW pg_available_extensions AS SELECT name FROM pg_catalog.pg_available_extensions WHERE false"))
        connection.execute(sa.text(f"ALTER DATABASE {bare.url.database} SET search_path = public, pg_catalog"))
    bare.dispose()

    with pytest.raises(CannotMigrate, match="lacks the extension btree_gist.*Install PostgreSQL's contrib package"):
        migrate.upgrade(bare)


def test_what_is_booked_when_the_diary_begins_to_be_packed_is_noted(engine: Engine) -> None:
    ids = fill(engine)
    held = sa.select(OccupancyChange.resource_id, OccupancyChange.starts_at, OccupancyChange.is_held)

    migrate.downgrade(engine, "0001", accept_data_loss=True)
    migrate.upgrade(engine)

    with engine.connect() as connection:
        assert connection.execute(held).all() == [(ids.room, NOW, True)]


def test_names_with_apostrophes_are_found_without_them_after_an_upgrade(engine: Engine) -> None:
    ids = fill(engine)
    migrate.downgrade(engine, "0005", accept_data_loss=True)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE patient SET search_text = ' o’connor o''neill caoimhe ' WHERE id = :id"),
                           {"id": ids.patient})

    migrate.upgrade(engine)

    with engine.connect() as connection:
        assert connection.scalar(sa.select(Patient.search_text).where(Patient.id == ids.patient)) == (
            " oconnor oneill caoimhe ")
