"""What tests begin with: a clinic that was pressed into a database is the one that is built row by row."""
from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.store.base import Row
from clinic.store.engine import for_writing
from clinic.store.resources import Room
from tests.databases import DatabasesOf
from tests.engines import lent_engine
from tests.imprint import press, taken
from tests.small_clinic import SmallClinic, build_small_clinic


def test_a_pressed_clinic_is_the_one_that_was_built(engine: Engine, databases_of: DatabasesOf) -> None:
    built = build_small_clinic(engine, zone="Europe/Lisbon", horizon=90, patients=4)
    with engine.connect() as connection:
        imprint = taken(connection)

    databases = databases_of(engine.dialect.name)
    url = databases.migrated()
    with lent_engine(url) as other:
        with for_writing(other).begin() as connection:
            press(connection, imprint)
        pressed = built.on(other)
        assert (_bytes(other), _next_room(pressed)) == (_bytes(engine), _next_room(built))
    databases.remove(url)


def _bytes(engine: Engine) -> dict[str, list[str]]:
    """Every row as the database itself writes it."""
    with engine.connect() as connection:
        return {name: [repr(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]
                for name in Row.metadata.tables}


def _next_room(clinic: SmallClinic) -> int:
    with Session(for_writing(clinic.engine)) as db:
        db.add(room := Room(clinic_id=clinic.clinic_id, name="Room 3", features=[]))
        db.flush()
        return room.id
