"""Writers that fight for the same times: what each one does, as a thread or as a process of its own."""
from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from clinic.store.engine import for_writing, open_engine
from clinic.store.guards import OVERLAP
from clinic.store.resources import Resource
from tests.store.rows import NOW, Ids, add_appointment, hold

SLOTS = 12
SLOT = timedelta(minutes=30)


def contend(engine: Engine, ids: Ids, seed: int, rounds: int) -> Counter[str]:
    """Try for every slot in an order of one's own, so often; how often each answer came."""
    random = Random(seed)
    answers: Counter[str] = Counter()
    for _ in range(rounds):
        for slot in random.sample(range(SLOTS), SLOTS):
            answers[_try(engine, ids, slot, random)] += 1
    return answers


def contend_alone(url: str, ids: Ids, seed: int, rounds: int) -> Counter[str]:
    """The same from a process of its own."""
    engine = open_engine(url)
    try:
        return contend(engine, ids, seed, rounds)
    finally:
        engine.dispose()


def _try(engine: Engine, ids: Ids, slot: int, random: Random) -> str:
    wanted = random.sample([ids.practitioner, ids.room, ids.device], 3)
    starts_at = NOW + slot * SLOT
    try:
        with Session(for_writing(engine)) as db:
            lock = sa.select(Resource.id).where(Resource.id.in_(wanted)).order_by(Resource.id).with_for_update()
            db.execute(lock)
            appointment = add_appointment(db, ids, starts_at)
            for resource_id in wanted:
                hold(db, appointment, resource_id, starts_at, starts_at + SLOT)
            db.commit()
            return "booked"
    except SQLAlchemyError as error:
        return "refused" if OVERLAP in str(error) else f"{type(error).__name__}: {error}"
