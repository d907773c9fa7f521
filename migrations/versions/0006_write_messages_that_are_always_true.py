"""Write messages that are always true: rules, versions of texts, links, bounces, whom to call, the newsletter."""
import sqlalchemy as sa
from alembic import op
from migration_tools import altered, instant, is_sqlite

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SUBJECTS = ("course", "maintenance-plan", "treatment-session", "appointment")
_MORE_SUBJECTS = (*_SUBJECTS, "patient", "subscriber", "edition", "account")
_TASKS = ("consultation", "call", "other")
_MORE_TASKS = (*_TASKS, "move", "cancel", "unprepared", "symptom", "bounce")
_MAY = "('never', 'ask', 'at-once')"


def upgrade() -> None:
    _create_newsletter()
    _alter_messages()
    _create_links()
    _create_tables_of_messages()
    _version_texts()
    _alter_others()
    _create_tables_of_the_desk()
    _create_indexes_of_pages()
    for statement in _SQLITE_GUARDS if is_sqlite() else _POSTGRESQL_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    if not is_sqlite():
        op.execute("DROP TRIGGER handover_note_immutable ON handover_note")
        op.execute("DROP FUNCTION handover_note_immutable()")
    op.drop_table("handover_note")
    op.drop_table("running_late")
    for name, table, _, _ in _FIGURES:
        op.drop_index(name, table)
    _drop_indexes_of_pages()
    with altered("worker") as worker:
        worker.drop_constraint("trouble", type_="check")
        worker.drop_column("folder_trouble")
        worker.drop_column("trouble_since")
        worker.drop_column("trouble")
        worker.drop_column("swept_at")
    with altered("task") as task:
        task.drop_constraint("kind", type_="check")
        task.drop_constraint("replied", type_="check")
        task.drop_constraint("fk_task_appointment_id_appointment", type_="foreignkey")
        for column in ("reply", "wished", "appointment_id", "urgent"):
            task.drop_column(column)
    op.execute(f"UPDATE task SET kind = 'other' WHERE kind NOT IN ({_listed(_TASKS)})")
    with altered("task") as task:
        task.create_check_constraint("kind", f"kind IN ({_listed(_TASKS)})")
    with altered("account") as account:
        account.drop_column("wants_digest")
    with altered("patient") as patient:
        patient.drop_column("wants_reminders")
    with altered("appointment") as appointment:
        appointment.drop_constraint("begun", type_="check")
        appointment.drop_column("begun_at")
        appointment.drop_constraint("fk_appointment_practitioner_id_practitioner", type_="foreignkey")
        appointment.drop_column("practitioner_id")
        appointment.drop_column("changed_by_clinic")
        appointment.drop_column("confirmed_at")
    with altered("clinic") as clinic:
        for name in ("most_messages", "patients_move", "patients_cancel", "notice"):
            clinic.drop_constraint(name, type_="check")
        for name in ("review_url", "notice_hours", "patients_cancel", "patients_move", "emergency_phone",
                     "out_of_hours_phone", "most_messages_a_day"):
            clinic.drop_column(name)
    _unversion_texts()
    if not is_sqlite():
        op.execute("DROP FUNCTION clinic_text_immutable()")
        op.execute("DROP TRIGGER contact_attempt_append_only_truncate ON contact_attempt")
        op.execute("DROP TRIGGER contact_attempt_append_only ON contact_attempt")
        op.execute("DROP FUNCTION contact_attempt_append_only()")
    for name in ("translation_approval", "message_rule", "bounce", "contact_attempt", "patient_browser", "link"):
        op.drop_table(name)
    _unalter_messages()
    for name in ("edition_text", "edition", "subscriber"):
        op.drop_table(name)


def _create_newsletter() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("interests", sa.JSON, nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", instant(), nullable=False),
        sa.Column("asked_times", sa.Integer, nullable=False),
        sa.Column("consent_source", sa.Text, nullable=False),
        sa.Column("consent_wording", sa.Text, nullable=False),
        sa.Column("consented_at", instant()),
        sa.Column("stopped_at", instant()),
        sa.CheckConstraint("state IN ('asked', 'subscribed', 'stopped')", name="state"),
        sa.CheckConstraint("state <> 'subscribed' OR consented_at IS NOT NULL", name="consent"),
        sa.CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", name="stopped"),
    )
    op.create_index("ix_subscriber_patient_id", "subscriber", ["patient_id"])
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("interests", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("send_at", instant()),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("approved_at", instant()),
        sa.Column("approved_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("agreed", sa.Integer),
        sa.Column("queued_to", sa.Integer, nullable=False),
        sa.Column("queued_at", instant()),
        sa.Column("stopped_at", instant()),
        sa.Column("stopped_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("in_archive", sa.Boolean, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('draft', 'approved', 'stopped')", name="state"),
        sa.CheckConstraint("state <> 'approved' OR send_at IS NOT NULL", name="send"),
        sa.CheckConstraint("(approved_at IS NULL) = (agreed IS NULL)", name="agreed"),
        sa.CheckConstraint("(state = 'draft') = (approved_at IS NULL)", name="approved"),
        sa.CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", name="stopped"),
    )
    op.create_index("ix_edition_clinic_id", "edition", ["clinic_id"])
    op.create_table(
        "edition_text",
        sa.Column("edition_id", sa.Integer, sa.ForeignKey("edition.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("blocks", sa.JSON, nullable=False),
    )


def _alter_messages() -> None:
    op.drop_index("ix_message_due", "message")
    with altered("message") as message:
        message.add_column(sa.Column("priority", sa.Integer, nullable=False, server_default="1"))
        message.alter_column("patient_id", existing_type=sa.Integer, nullable=True)
        message.add_column(sa.Column("subscriber_id", sa.Integer))
        message.add_column(sa.Column("account_id", sa.Integer))
        message.add_column(sa.Column("note", sa.Text))
        message.add_column(sa.Column("hastened_at", instant()))
        message.add_column(sa.Column("looked_at", instant()))
        message.add_column(sa.Column("looked_by", sa.Integer))
        message.add_column(sa.Column("decision", sa.Text))
        message.add_column(sa.Column("decided_at", instant()))
        message.add_column(sa.Column("decided_by", sa.Integer))
        for column, table in _MESSAGE_KEYS:
            message.create_foreign_key(f"fk_message_{column}_{table}", table, [column], ["id"])
        message.create_check_constraint(
            "one_person",
            "(CASE WHEN patient_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN subscriber_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN account_id IS NULL THEN 0 ELSE 1 END) = 1")
        message.create_check_constraint("decision", "decision IN ('taken-over', 'skipped', 'told', 'printed')")
        message.create_check_constraint("decided", "(decision IS NULL) = (decided_at IS NULL)")
        message.create_check_constraint(
            "decided_rests", "decision IS NULL OR state NOT IN ('pending', 'sending', 'held')")
        message.create_check_constraint("priority", "priority BETWEEN 0 AND 2")
    _create_index_of_due("priority", "due_at")
    op.create_index("ix_message_subscriber_id", "message", ["subscriber_id"])
    waiting = sa.text("state IN ('pending', 'held')")
    op.create_index(
        "ix_message_useless", "message", ["useless_after"], sqlite_where=waiting, postgresql_where=waiting)
    with altered("message_item") as item:
        item.drop_constraint("subject_kind", type_="check")
        item.create_check_constraint("subject_kind", f"subject_kind IN ({_listed(_MORE_SUBJECTS)})")


def _unalter_messages() -> None:
    # Those that went to nobody who was a patient have no place in the older tables.
    others = "SELECT id FROM message WHERE patient_id IS NULL"
    op.execute(f"DELETE FROM message_item WHERE message_id IN ({others})"
               f" OR subject_kind NOT IN ({_listed(_SUBJECTS)})")
    _without_attempts_guard(f"DELETE FROM message_attempt WHERE message_id IN ({others})")
    op.execute("DELETE FROM message WHERE patient_id IS NULL")
    with altered("message_item") as item:
        item.drop_constraint("subject_kind", type_="check")
        item.create_check_constraint("subject_kind", f"subject_kind IN ({_listed(_SUBJECTS)})")
    op.drop_index("ix_message_useless", "message")
    op.drop_index("ix_message_subscriber_id", "message")
    op.drop_index("ix_message_due", "message")
    with altered("message") as message:
        message.drop_constraint("priority", type_="check")
        message.drop_column("priority")
        for name in ("decided_rests", "decided", "decision", "one_person"):
            message.drop_constraint(name, type_="check")
        for column, table in _MESSAGE_KEYS:
            message.drop_constraint(f"fk_message_{column}_{table}", type_="foreignkey")
        for name in ("decided_by", "decided_at", "decision", "looked_by", "looked_at", "hastened_at", "note",
                     "account_id", "subscriber_id"):
            message.drop_column(name)
        message.alter_column("patient_id", existing_type=sa.Integer, nullable=False)
    _create_index_of_due("due_at")


def _create_index_of_due(*columns: str) -> None:
    pending = sa.text("state = 'pending'")
    op.create_index("ix_message_due", "message", columns, sqlite_where=pending, postgresql_where=pending)


_MESSAGE_KEYS = (
    ("subscriber_id", "subscriber"), ("account_id", "account"), ("looked_by", "account"), ("decided_by", "account"),
)


def _create_links() -> None:
    op.create_table(
        "link",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("secret_hash", sa.Text, nullable=False, unique=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id")),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscriber.id")),
        sa.Column("owner_kind", sa.Text),
        sa.Column("owner_id", sa.Integer),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("message.id")),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("expires_at", instant(), nullable=False),
        sa.Column("used_at", instant()),
        sa.Column("revoked_at", instant()),
        sa.CheckConstraint("purpose IN ('my-course', 'opt-in', 'stop')", name="purpose"),
        sa.CheckConstraint("(purpose = 'my-course') = (patient_id IS NOT NULL)", name="patient"),
        sa.CheckConstraint("(purpose <> 'my-course') = (subscriber_id IS NOT NULL)", name="subscriber"),
        sa.CheckConstraint("(owner_kind IS NULL) = (owner_id IS NULL)", name="owner"),
    )
    for columns in (["patient_id"], ["subscriber_id"], ["message_id"], ["expires_at"]):
        op.create_index(f"ix_link_{columns[0]}", "link", columns)
    op.create_index("ix_link_owner", "link", ["owner_kind", "owner_id"])
    op.create_table(
        "patient_browser",
        sa.Column("id_hash", sa.Text, primary_key=True),
        sa.Column("link_id", sa.Integer, sa.ForeignKey("link.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("expires_at", instant(), nullable=False),
        sa.Column("born_at", instant()),
        sa.Column("wrong_dates", sa.Integer, nullable=False),
    )
    op.create_index("ix_patient_browser_link_id", "patient_browser", ["link_id"])


def _create_tables_of_messages() -> None:
    op.create_table(
        "contact_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("at", instant(), nullable=False),
        sa.Column("by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.CheckConstraint("outcome IN ('no-answer', 'called', 'told', 'printed')", name="outcome"),
    )
    op.create_index("ix_contact_attempt_message_id", "contact_attempt", ["message_id"])
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("at", instant(), nullable=False),
        sa.Column("is_final", sa.Boolean, nullable=False),
        sa.Column("is_hard", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("lifted_at", instant()),
        sa.Column("lifted_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.UniqueConstraint("message_id", "digest"),
        sa.CheckConstraint("lifted_at IS NULL OR is_hard", name="lifted"),
        sa.CheckConstraint("is_final OR NOT is_hard", name="final"),
    )
    op.create_index("ix_bounce_message_id", "bounce", ["message_id"])
    op.create_index("ix_bounce_email", "bounce", ["email"])
    op.create_table(
        "message_rule",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("protocol_id", sa.Integer, sa.ForeignKey("protocol.id")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("rule", sa.JSON, nullable=False),
        sa.Column("made_at", instant(), nullable=False),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.UniqueConstraint("clinic_id", "protocol_id", "kind", "version"),
    )
    of_all = sa.text("protocol_id IS NULL")
    op.create_index("uq_message_rule_of_all", "message_rule", ["clinic_id", "kind", "version"], unique=True,
                    sqlite_where=of_all, postgresql_where=of_all)
    op.create_table(
        "translation_approval",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("approved_at", instant(), nullable=False),
        sa.Column("approved_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.UniqueConstraint("language", "subject", "sha256"),
    )


def _create_tables_of_the_desk() -> None:
    op.create_table(
        "running_late",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id", ondelete="CASCADE"),
                  nullable=False),
        sa.Column("on_date", sa.Date, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("at", instant(), nullable=False),
        sa.Column("by", sa.Integer, sa.ForeignKey("account.id")),
        sa.UniqueConstraint("clinic_id", "on_date", "practitioner_id"),
        sa.CheckConstraint("minutes BETWEEN 1 AND 600", name="minutes"),
    )
    op.create_index("ix_running_late_practitioner_id", "running_late", ["practitioner_id"])
    op.create_table(
        "handover_note",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id", ondelete="CASCADE"), nullable=False),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id", ondelete="CASCADE")),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("written_at", instant(), nullable=False),
        sa.Column("written_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("read_at", instant()),
        sa.Column("read_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.CheckConstraint("text <> ''", name="text"),
        sa.CheckConstraint("(read_at IS NULL) = (read_by IS NULL)", name="read"),
    )
    for column in ("patient_id", "course_id"):
        op.create_index(f"ix_handover_note_{column}", "handover_note", [column])


def _version_texts() -> None:
    """What a clinic said in its own words so far is the first version of it, in English."""
    op.execute("CREATE TEMPORARY TABLE kept_text AS SELECT clinic_id, code, text FROM clinic_text")
    op.drop_table("clinic_text")
    op.create_table(
        "clinic_text",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("made_at", instant()),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.UniqueConstraint("clinic_id", "code", "language", "version"),
        sa.CheckConstraint("version >= 1", name="version"),
    )
    op.execute("INSERT INTO clinic_text (clinic_id, code, language, version, text)"
               " SELECT clinic_id, code, 'en', 1, text FROM kept_text")
    op.execute("DROP TABLE kept_text")


def _unversion_texts() -> None:
    op.execute(
        "CREATE TEMPORARY TABLE kept_text AS SELECT clinic_id, code, text FROM clinic_text AS one"
        " WHERE language = 'en' AND text <> '' AND code IN ('directions', 'cancellation', 'closing') AND version ="
        " (SELECT max(version) FROM clinic_text WHERE clinic_id = one.clinic_id AND code = one.code"
        " AND language = 'en')")
    op.drop_table("clinic_text")
    op.create_table(
        "clinic_text",
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.CheckConstraint("code IN ('directions', 'cancellation', 'closing')", name="code"),
    )
    op.execute("INSERT INTO clinic_text (clinic_id, code, text) SELECT clinic_id, code, text FROM kept_text")
    op.execute("DROP TABLE kept_text")


def _alter_others() -> None:
    with altered("clinic") as clinic:
        clinic.add_column(sa.Column("most_messages_a_day", sa.Integer, nullable=False, server_default="3"))
        clinic.add_column(sa.Column("out_of_hours_phone", sa.Text))
        clinic.add_column(sa.Column("emergency_phone", sa.Text))
        clinic.add_column(sa.Column("patients_move", sa.Text, nullable=False, server_default="ask"))
        clinic.add_column(sa.Column("patients_cancel", sa.Text, nullable=False, server_default="ask"))
        clinic.add_column(sa.Column("notice_hours", sa.Integer, nullable=False, server_default="24"))
        clinic.add_column(sa.Column("review_url", sa.Text))
        clinic.create_check_constraint("most_messages", "most_messages_a_day BETWEEN 1 AND 20")
        clinic.create_check_constraint("patients_move", f"patients_move IN {_MAY}")
        clinic.create_check_constraint("patients_cancel", f"patients_cancel IN {_MAY}")
        clinic.create_check_constraint("notice", "notice_hours BETWEEN 0 AND 336")
    with altered("appointment") as appointment:
        appointment.add_column(sa.Column("confirmed_at", instant()))
        appointment.add_column(sa.Column("changed_by_clinic", sa.Boolean, nullable=False, server_default=sa.false()))
        appointment.add_column(sa.Column("begun_at", instant()))
        appointment.create_check_constraint(
            "begun", "begun_at IS NULL OR state IN ('arrived', 'fulfilled', 'cancelled')")
        appointment.add_column(sa.Column("practitioner_id", sa.Integer))
        appointment.create_foreign_key(
            "fk_appointment_practitioner_id_practitioner", "practitioner", ["practitioner_id"], ["id"])
    # What an appointment that was cancelled or missed had held, nobody knows any more.
    op.execute(
        "UPDATE appointment SET practitioner_id = (SELECT held.resource_id FROM resource_booking AS held"
        " JOIN practitioner ON practitioner.id = held.resource_id"
        " WHERE held.appointment_id = appointment.id ORDER BY held.need LIMIT 1)")
    for name, table, columns, where in _FIGURES:
        some = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)
    with altered("patient") as patient:
        patient.add_column(sa.Column("wants_reminders", sa.Boolean, nullable=False, server_default=sa.true()))
    # What a search looks through has no apostrophes any more; the search of 0005 finds such names by a part of them.
    for sign in "'`´‘’ʻʼ′":
        patients = sa.table("patient", sa.column("search_text", sa.Text))
        op.execute(patients.update().where(patients.c.search_text.contains(sign))
                   .values(search_text=sa.func.replace(patients.c.search_text, sign, "")))
    with altered("worker") as worker:
        worker.add_column(sa.Column("swept_at", instant()))
        worker.add_column(sa.Column("trouble", sa.Text))
        worker.add_column(sa.Column("trouble_since", instant()))
        worker.add_column(sa.Column("folder_trouble", sa.Text))
        worker.create_check_constraint("trouble", "(trouble IS NULL) = (trouble_since IS NULL)")
    with altered("account") as account:
        account.add_column(sa.Column("wants_digest", sa.Boolean, nullable=False, server_default=sa.false()))
    with altered("task") as task:
        task.add_column(sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()))
        task.add_column(sa.Column("appointment_id", sa.Integer))
        task.add_column(sa.Column("wished", sa.JSON, nullable=False, server_default="[]"))
        task.add_column(sa.Column("reply", sa.Text))
        task.create_foreign_key("fk_task_appointment_id_appointment", "appointment", ["appointment_id"], ["id"])
        task.drop_constraint("kind", type_="check")
        task.create_check_constraint("kind", f"kind IN ({_listed(_MORE_TASKS)})")
        task.create_check_constraint("replied", "reply IS NULL OR done_at IS NOT NULL")


_FIGURES = (
    ("ix_treatment_session_performed", "treatment_session", ["performed_on"], "performed_on IS NOT NULL"),
    ("ix_course_ended", "course", ["ended_on"], "ended_on IS NOT NULL"),
    ("ix_message_settled", "message", ["clinic_id", "settled_at", "state", "patient_id", "decision"],
     "settled_at IS NOT NULL AND patient_id IS NOT NULL"),
)
"""Indexes that the figures read by months: name, table, columns, and which rows."""


def _create_indexes_of_pages() -> None:
    for name, table, columns, where in _INDEXES_OF_PAGES:
        some = sa.text(where) if where else None
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)
    op.drop_index("ix_message_clinic_id", "message")


def _drop_indexes_of_pages() -> None:
    op.create_index("ix_message_clinic_id", "message", ["clinic_id"])
    for name, table, _, _ in _INDEXES_OF_PAGES:
        op.drop_index(name, table)


_INDEXES_OF_PAGES = (
    ("ix_message_trouble", "message", ["clinic_id"], "state IN ('failed', 'held', 'uncertain') AND decision IS NULL"),
    ("ix_message_unsent", "message", ["clinic_id", "useless_after"], "state IN ('failed', 'uncertain', 'withheld')"),
    ("ix_message_listed", "message", ["clinic_id", "state", "settled_at", "due_at"], ""),
    ("ix_appointment_here", "appointment", ["clinic_id", "ends_at"], "state = 'arrived'"),
    ("ix_absence_noted", "absence", ["resource_id", "ends_at"], "source IS NULL"),
)
"""What pages ask for again and again, however much lies behind."""


def _without_attempts_guard(statement: str) -> None:
    if is_sqlite():
        op.execute("DROP TRIGGER message_attempt_append_only_delete")
        op.execute(statement)
        op.execute(_append_only("message_attempt", "DELETE"))
    else:
        op.execute("ALTER TABLE message_attempt DISABLE TRIGGER message_attempt_append_only")
        op.execute(statement)
        op.execute("ALTER TABLE message_attempt ENABLE TRIGGER message_attempt_append_only")


def _append_only(table: str, event: str) -> str:
    return f"""CREATE TRIGGER {table}_append_only_{event.lower()}
BEFORE {event} ON {table}
BEGIN
  SELECT RAISE(ABORT, '{table}_append_only');
END"""


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


_SQLITE_GUARDS = (
    _append_only("contact_attempt", "UPDATE"), _append_only("contact_attempt", "DELETE"),
    """CREATE TRIGGER clinic_text_immutable
BEFORE UPDATE OF clinic_id, code, language, version, text ON clinic_text
BEGIN
  SELECT RAISE(ABORT, 'clinic_text_immutable');
END""",
    """CREATE TRIGGER handover_note_immutable
BEFORE UPDATE OF text, written_at, written_by ON handover_note
BEGIN
  SELECT RAISE(ABORT, 'handover_note_immutable');
END""",
)
_POSTGRESQL_GUARDS = (
    "CREATE FUNCTION clinic_text_immutable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "'clinic_text_immutable' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER clinic_text_immutable BEFORE UPDATE OF clinic_id, code, language, version, text ON clinic_text "
    "FOR EACH ROW EXECUTE FUNCTION clinic_text_immutable()",
    "CREATE FUNCTION handover_note_immutable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "'handover_note_immutable' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER handover_note_immutable BEFORE UPDATE OF text, written_at, written_by ON handover_note "
    "FOR EACH ROW EXECUTE FUNCTION handover_note_immutable()",
    "CREATE FUNCTION contact_attempt_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "'contact_attempt_append_only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER contact_attempt_append_only BEFORE UPDATE OR DELETE ON contact_attempt FOR EACH ROW EXECUTE "
    "FUNCTION contact_attempt_append_only()",
    "CREATE TRIGGER contact_attempt_append_only_truncate BEFORE TRUNCATE ON contact_attempt FOR EACH STATEMENT "
    "EXECUTE FUNCTION contact_attempt_append_only()",
)
