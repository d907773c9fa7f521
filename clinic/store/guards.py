"""What only the database can forbid, in the words of each database: its triggers and exclusion constraints.

The migrations carry frozen copies; a test compares what they leave behind with what stands here.
"""
from __future__ import annotations

from clinic.care.states import HOLDS_TIME

OVERLAP = "resource_booking_overlap"
"""The name that a refused overlap carries: the constraint on PostgreSQL, the message on SQLite."""

_HOLDING = ", ".join(f"'{state}'" for state in sorted(HOLDS_TIME))
_APPEND_ONLY = ("audit", "message_attempt", "contact_attempt")
_CHANGED = "UPDATE OF resource_id, clinic_id, starts_at, ends_at"


def _sqlite_overlap(event: str, others: str) -> str:
    return f"""CREATE TRIGGER resource_booking_overlap_{event.split()[0].lower()}
BEFORE {event} ON resource_booking
BEGIN
  SELECT RAISE(ABORT, 'resource_booking_instants') WHERE typeof(NEW.starts_at) <> 'integer'
    OR typeof(NEW.ends_at) <> 'integer';
  SELECT RAISE(ABORT, '{OVERLAP}') WHERE EXISTS (
    SELECT 1 FROM resource_booking AS other WHERE other.resource_id = NEW.resource_id
      AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at{others});
END"""


def _sqlite_blocks(event: str) -> str:
    return f"""CREATE TRIGGER resource_booking_blocks_{event.split()[0].lower()}
BEFORE {event} ON resource_booking
WHEN (SELECT state FROM appointment WHERE id = NEW.appointment_id) NOT IN ({_HOLDING})
BEGIN
  SELECT RAISE(ABORT, 'resource_booking_blocks');
END"""


def _changes(row: str) -> str:
    """Notes that a row's span is held from now on (NEW), or no more (OLD); a patient's are read as they are."""
    return f"""INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT {row}.resource_id, {row}.clinic_id, {row}.starts_at, {row}.ends_at, {"true" if row == "NEW" else "false"}
  FROM resource WHERE id = {row}.resource_id AND kind <> 'patient';"""


def _sqlite_changed(event: str, *rows: str) -> str:
    body = "\n  ".join(map(_changes, rows))
    return f"""CREATE TRIGGER resource_booking_changed_{event.split()[0].lower()}
AFTER {event} ON resource_booking
BEGIN
  {body}
END"""


def _sqlite_append_only(table: str, event: str) -> str:
    return f"""CREATE TRIGGER {table}_append_only_{event.lower()}
BEFORE {event} ON {table}
BEGIN
  SELECT RAISE(ABORT, '{table}_append_only');
END"""


SQLITE: dict[str, str] = {
    "resource_booking_overlap_insert": _sqlite_overlap("INSERT", ""),
    "resource_booking_overlap_update": _sqlite_overlap("UPDATE", " AND other.id <> NEW.id"),
    "resource_booking_blocks_insert": _sqlite_blocks("INSERT"),
    "resource_booking_blocks_update": _sqlite_blocks("UPDATE OF appointment_id"),
    "resource_booking_changed_insert": _sqlite_changed("INSERT", "NEW"),
    "resource_booking_changed_update": _sqlite_changed(_CHANGED, "OLD", "NEW"),
    "resource_booking_changed_delete": _sqlite_changed("DELETE", "OLD"),
    "appointment_frees": f"""CREATE TRIGGER appointment_frees
AFTER UPDATE OF state ON appointment WHEN NEW.state NOT IN ({_HOLDING})
BEGIN
  DELETE FROM resource_booking WHERE appointment_id = NEW.id;
END""",
    **{
        f"{table}_append_only_{event.lower()}": _sqlite_append_only(table, event)
        for table in _APPEND_ONLY for event in ("UPDATE", "DELETE")
    },
    "protocol_version_immutable": """CREATE TRIGGER protocol_version_immutable
BEFORE UPDATE OF document, number, protocol_id ON protocol_version
BEGIN
  SELECT RAISE(ABORT, 'protocol_version_immutable');
END""",
    "clinic_text_immutable": """CREATE TRIGGER clinic_text_immutable
BEFORE UPDATE OF clinic_id, code, language, version, text ON clinic_text
BEGIN
  SELECT RAISE(ABORT, 'clinic_text_immutable');
END""",
    "handover_note_immutable": """CREATE TRIGGER handover_note_immutable
BEFORE UPDATE OF text, written_at, written_by ON handover_note
BEGIN
  SELECT RAISE(ABORT, 'handover_note_immutable');
END""",
    "message_bytes_frozen": """CREATE TRIGGER message_bytes_frozen
BEFORE UPDATE OF mime, mime_sha256, message_id ON message WHEN OLD.mime IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'message_bytes_frozen');
END""",
}

def _refuse(name: str) -> str:
    # The class of every other broken constraint, so that callers meet one kind of error on both databases.
    return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation';"


_POSTGRESQL_TRIGGERS: dict[str, tuple[str, str]] = {
    # The appointment is locked while it is asked, or a cancellation under way would leave this row behind.
    "resource_booking_blocks": (
        "BEFORE INSERT OR UPDATE OF appointment_id ON resource_booking",
        f"IF (SELECT state FROM appointment WHERE id = NEW.appointment_id FOR NO KEY UPDATE) NOT IN ({_HOLDING}) THEN"
        f" {_refuse('resource_booking_blocks')} END IF; RETURN NEW;",
    ),
    "resource_booking_changed": (
        f"AFTER INSERT OR DELETE OR {_CHANGED} ON resource_booking",
        f"IF TG_OP <> 'INSERT' THEN\n  {_changes('OLD')}\nEND IF;"
        f"\nIF TG_OP <> 'DELETE' THEN\n  {_changes('NEW')}\nEND IF;\nRETURN NULL;",
    ),
    "appointment_frees": (
        "AFTER UPDATE OF state ON appointment",
        f"IF NEW.state NOT IN ({_HOLDING}) THEN"
        " DELETE FROM resource_booking WHERE appointment_id = NEW.id; END IF; RETURN NEW;",
    ),
    **{f"{table}_append_only": (f"BEFORE UPDATE OR DELETE ON {table}", _refuse(f"{table}_append_only"))
       for table in _APPEND_ONLY},
    "protocol_version_immutable": (
        "BEFORE UPDATE OF document, number, protocol_id ON protocol_version",
        _refuse("protocol_version_immutable"),
    ),
    "clinic_text_immutable": (
        "BEFORE UPDATE OF clinic_id, code, language, version, text ON clinic_text",
        _refuse("clinic_text_immutable"),
    ),
    "handover_note_immutable": (
        "BEFORE UPDATE OF text, written_at, written_by ON handover_note",
        _refuse("handover_note_immutable"),
    ),
    "message_bytes_frozen": (
        "BEFORE UPDATE OF mime, mime_sha256, message_id ON message",
        f"IF OLD.mime IS NOT NULL THEN {_refuse('message_bytes_frozen')} END IF; RETURN NEW;",
    ),
}

POSTGRESQL: dict[str, tuple[str, ...]] = {
    OVERLAP: (
        "CREATE EXTENSION IF NOT EXISTS btree_gist",
        f"ALTER TABLE resource_booking ADD CONSTRAINT {OVERLAP}"
        " EXCLUDE USING gist (resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&)",
    ),
    **{
        name: (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {name}()",
        )
        for name, (when, body) in _POSTGRESQL_TRIGGERS.items()
    },
    "resource_booking_emptied": (
        "CREATE FUNCTION resource_booking_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " DELETE FROM occupancy_change; DELETE FROM occupancy; RETURN NULL; END $$",
        "CREATE TRIGGER resource_booking_emptied AFTER TRUNCATE ON resource_booking"
        " FOR EACH STATEMENT EXECUTE FUNCTION resource_booking_emptied()",
    ),
    **{
        f"{table}_append_only_truncate": (
            f"CREATE TRIGGER {table}_append_only_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
        )
        for table in _APPEND_ONLY
    },
}


def statements(dialect: str) -> list[str]:
    """Every statement that puts the guards of that database in place, in order."""
    if dialect == "sqlite":
        return list(SQLITE.values())
    return [statement for group in POSTGRESQL.values() for statement in group]
