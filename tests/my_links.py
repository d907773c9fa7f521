"""Links to the patient's page, as a message would carry them."""
from __future__ import annotations

import sqlalchemy as sa

from clinic.care.owner_facts import Owner
from clinic.queries.letters import letter_facts
from clinic.queries.owner_facts import owner_head
from clinic.services.links import link_for
from clinic.services.work import UnitOfWork
from clinic.store.outbox import Message

BASE = "https://clinic.example"


def new_secret(work: UnitOfWork, owner: Owner) -> str:
    """The secret of a new link to what that owner is; commits."""
    head = owner_head(work.db, owner)
    message_id = work.db.scalar(sa.select(sa.func.max(Message.id)))
    assert head is not None and message_id is not None
    address = link_for(work, message_id, letter_facts(work.db, head), base_url=BASE)
    work.commit()
    assert address.startswith(f"{BASE}/l/")
    return address.rpartition("/")[2]
