"""Create the clinic: every table of the first release, and the guards that only the database can keep."""
import sqlalchemy as sa
from alembic import op
from migration_tools import instant, is_sqlite

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "business",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("mail_on_since", instant()),
        sa.CheckConstraint("id = 1", name="only_one"),
    )
    op.create_table(
        "clinic",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("sender_name", sa.Text, nullable=False),
        sa.Column("sender_email", sa.Text, nullable=False),
        sa.Column("quiet_from", sa.Integer, nullable=False),
        sa.Column("quiet_to", sa.Integer, nullable=False),
        sa.Column("booking_horizon_days", sa.Integer, nullable=False),
        sa.Column("start_step_minutes", sa.Integer, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.CheckConstraint("booking_horizon_days BETWEEN 1 AND 3660", name="horizon"),
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439 AND quiet_to BETWEEN 0 AND 1439", name="quiet"),
        sa.CheckConstraint("start_step_minutes BETWEEN 5 AND 60", name="start_step"),
    )
    op.create_table(
        "protocol",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.CheckConstraint("kind IN ('practitioner', 'room', 'device', 'patient')", name="kind"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", instant(), nullable=False),
        sa.Index("ix_sign_in_attempt_key", "key", "at"),
    )
    op.create_table(
        "treatment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.CheckConstraint("kind IN ('session', 'consultation', 'patch-test', 'review', 'other')", name="kind"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("started_at", instant(), nullable=False),
        sa.Column("heartbeat_at", instant(), nullable=False),
    )
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "resource_id", sa.Integer, sa.ForeignKey("resource.id", ondelete="CASCADE"),
            nullable=False, index=True,
        ),
        sa.Column("starts_at", instant(), nullable=False),
        sa.Column("ends_at", instant(), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name="span"),
    )
    op.create_table(
        "closure",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("to_on >= from_on", name="span"),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Integer, sa.ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("device_type", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
    )
    op.create_table(
        "opening_hours",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("opens", sa.Integer, nullable=False),
        sa.Column("closes", sa.Integer, nullable=False),
        sa.CheckConstraint("opens >= 0 AND opens < 1440 AND closes > opens AND closes <= 2880", name="span"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer, sa.ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("given_name", sa.Text, nullable=False),
        sa.Column("family_name", sa.Text, nullable=False),
        sa.Column("search_text", sa.Text, nullable=False, index=True),
        sa.Column("birth_on", sa.Date),
        sa.Column("email", sa.Text, index=True),
        sa.Column("phone", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("wants_service_messages", sa.Boolean, nullable=False),
        sa.Column("marketing_consent_at", instant()),
        sa.Column("only_times", sa.JSON, nullable=False),
        sa.Column("rather_times", sa.JSON, nullable=False),
        sa.Column("alerts", sa.Text, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.CheckConstraint("channel IN ('email', 'phone', 'none')", name="channel"),
    )
    op.create_table(
        "practitioner",
        sa.Column("id", sa.Integer, sa.ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
    )
    op.create_table(
        "room",
        sa.Column("id", sa.Integer, sa.ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
    )
    op.create_table(
        "travel_time",
        sa.Column("one_clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("other_clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.CheckConstraint("minutes BETWEEN 0 AND 1440", name="minutes"),
        sa.CheckConstraint("one_clinic_id < other_clinic_id", name="pair"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id")),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False, index=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("due_at", instant(), nullable=False),
        sa.Column("useless_after", instant(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("settled_at", instant()),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_token", sa.Text),
        sa.Column("lease_until", instant()),
        sa.Column("worker_id", sa.Text),
        sa.Column("dot_at", instant()),
        sa.Column("message_id", sa.Text, unique=True),
        sa.Column("sender", sa.Text),
        sa.Column("recipient", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("mime", sa.LargeBinary),
        sa.Column("mime_sha256", sa.Text),
        sa.CheckConstraint("(mime IS NULL) = (mime_sha256 IS NULL)", name="frozen"),
        sa.CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="lease"),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'sent', 'uncertain', 'failed', 'superseded', "
            "'expired', 'held', 'withheld')",
            name="state",
        ),
        sa.Index("ix_message_due", "due_at", **_where("state = 'pending'")),
        sa.Index("ix_message_leased", "lease_until", **_where("state = 'sending'")),
    )
    op.create_table(
        "qualification",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id", ondelete="CASCADE"),
            nullable=False, index=True,
        ),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.UniqueConstraint("practitioner_id", "code", "valid_from"),
    )
    op.create_table(
        "rota",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id", ondelete="CASCADE"), nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date),
        sa.Column("weeks", sa.Integer, nullable=False),
        sa.UniqueConstraint("practitioner_id", "starts_on"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="span"),
        sa.CheckConstraint("weeks BETWEEN 1 AND 8", name="weeks"),
    )
    op.create_table(
        "account_role",
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.CheckConstraint(
            "role IN ('receptionist', 'practitioner', 'manager', 'administrator', 'auditor')",
            name="role",
        ),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", instant(), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id")),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Index("ix_audit_subject", "subject_kind", "subject_id"),
    )
    op.create_table(
        "browser_session",
        sa.Column("id_hash", sa.Text, primary_key=True),
        sa.Column(
            "account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"),
            nullable=False, index=True,
        ),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id")),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("seen_at", instant(), nullable=False),
        sa.Column("expires_at", instant(), nullable=False),
    )
    op.create_table(
        "clinical_note",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "patient_id", sa.Integer, sa.ForeignKey("patient.id", ondelete="CASCADE"),
            nullable=False, index=True,
        ),
        sa.Column("written_at", instant(), nullable=False),
        sa.Column("written_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_sha256", sa.Text, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("created_at", instant(), nullable=False, index=True),
    )
    op.create_table(
        "message_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("message.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", instant(), nullable=False),
        sa.Column("worker_id", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "message_item",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "message_id", sa.Integer, sa.ForeignKey("message.id", ondelete="CASCADE"),
            nullable=False, index=True,
        ),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("dropped", sa.Text),
        sa.UniqueConstraint("kind", "subject_kind", "subject_id", "revision", "generation"),
        sa.CheckConstraint(
            "subject_kind IN ('course', 'maintenance-plan', 'treatment-session', "
            "'appointment')",
            name="subject_kind",
        ),
        sa.Index("ix_message_item_owner", "owner_kind", "owner_id"),
    )
    op.create_table(
        "protocol_version",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("protocol_id", sa.Integer, sa.ForeignKey("protocol.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("approved_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("approved_at", instant()),
        sa.UniqueConstraint("protocol_id", "number"),
        sa.CheckConstraint(
            "state = 'draft' OR (approved_by IS NOT NULL AND approved_at IS NOT NULL)",
            name="approved_by_someone",
        ),
        sa.CheckConstraint("state IN ('draft', 'approved', 'retired')", name="state"),
        sa.Index("uq_protocol_version_one_approved", "protocol_id", unique=True, **_where("state = 'approved'")),
    )
    op.create_table(
        "rota_span",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("rota_id", sa.Integer, sa.ForeignKey("rota.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("week", sa.Integer, nullable=False),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("opens", sa.Integer, nullable=False),
        sa.Column("closes", sa.Integer, nullable=False),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id")),
        sa.Column("break_minutes", sa.Integer),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6 AND week BETWEEN 0 AND 7", name="day"),
        sa.CheckConstraint("opens >= 0 AND opens < 1440 AND closes > opens AND closes <= 2880", name="span"),
        sa.CheckConstraint(
            "(clinic_id IS NOT NULL AND break_minutes IS NULL) OR (clinic_id IS NULL AND "
            "break_minutes > 0 AND break_minutes <= closes - opens)",
            name="work_or_break",
        ),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("done_at", instant()),
        sa.Column("done_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done"),
        sa.CheckConstraint("kind IN ('consultation', 'call', 'other')", name="kind"),
        sa.Index("ix_task_open", "clinic_id", **_where("done_at IS NULL")),
    )
    op.create_table(
        "course",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False, index=True),
        sa.Column("protocol_version_id", sa.Integer, sa.ForeignKey("protocol_version.id"), nullable=False, index=True),
        sa.Column("practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("indication", sa.Text, nullable=False),
        sa.Column("laxity", sa.Text, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("ended_on", sa.Date),
        sa.Column("ended_reason", sa.Text),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.CheckConstraint("laxity IN ('none', 'mild', 'moderate', 'severe')", name="laxity"),
        sa.CheckConstraint("state IN ('draft', 'active', 'on-hold', 'completed', 'revoked')", name="state"),
    )
    op.create_table(
        "course_override",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("made_at", instant(), nullable=False),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("account.id")),
    )
    op.create_table(
        "maintenance_plan",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id"), nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("interval_days", sa.Integer, nullable=False),
        sa.Column("shortest_days", sa.Integer, nullable=False),
        sa.Column("longest_days", sa.Integer, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "shortest_days > 0 AND shortest_days <= interval_days AND interval_days <= "
            "longest_days",
            name="interval",
        ),
        sa.CheckConstraint("state IN ('active', 'on-hold', 'revoked')", name="state"),
    )
    op.create_table(
        "screening",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("answered_at", instant(), nullable=False),
        sa.Column("answered_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
    )
    op.create_table(
        "treatment_session",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id", ondelete="CASCADE")),
        sa.Column("maintenance_plan_id", sa.Integer, sa.ForeignKey("maintenance_plan.id", ondelete="CASCADE")),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("treatment_code", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("earliest_on", sa.Date),
        sa.Column("ideal_on", sa.Date),
        sa.Column("latest_on", sa.Date),
        sa.Column("performed_at", instant()),
        sa.Column("performed_on", sa.Date),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.UniqueConstraint("course_id", "number"),
        sa.UniqueConstraint("maintenance_plan_id", "number"),
        sa.CheckConstraint("(course_id IS NULL) <> (maintenance_plan_id IS NULL)", name="one_owner"),
        sa.CheckConstraint("(state = 'completed') = (performed_at IS NOT NULL)", name="performed"),
        sa.CheckConstraint("state IN ('owed', 'booked', 'completed', 'not-done')", name="state"),
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("treatment_session_id", sa.Integer, sa.ForeignKey("treatment_session.id"), index=True),
        sa.Column("treatment_code", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("uid", sa.Text, nullable=False, unique=True),
        sa.Column("local_start", sa.DateTime, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("fold", sa.Integer, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("starts_at", instant(), nullable=False),
        sa.Column("ends_at", instant(), nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("scheduled_at", instant(), nullable=False),
        sa.Column("hold_expires_at", instant()),
        sa.Column("arrived_at", instant()),
        sa.Column("closed_at", instant()),
        sa.Column("cancellation_reason", sa.Text),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.CheckConstraint("(kind = 'session') = (treatment_session_id IS NOT NULL)", name="about"),
        sa.CheckConstraint("(state = 'proposed') = (hold_expires_at IS NOT NULL)", name="hold"),
        sa.CheckConstraint("kind IN ('session', 'consultation', 'patch-test', 'review', 'other')", name="kind"),
        sa.CheckConstraint("ends_at > starts_at", name="span"),
        sa.CheckConstraint(
            "state IN ('proposed', 'booked', 'arrived', 'fulfilled', 'cancelled', 'noshow')",
            name="state",
        ),
        sa.Index("ix_appointment_clinic_starts", "clinic_id", "starts_at"),
        sa.Index("ix_appointment_holds", "hold_expires_at", **_where("state = 'proposed'")),
        sa.Index(
            "uq_appointment_one_active", "treatment_session_id", unique=True,
            **_where("state IN ('proposed', 'booked', 'arrived') AND treatment_session_id IS NOT NULL"),
        ),
    )
    op.create_table(
        "recall",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "treatment_session_id", sa.Integer, sa.ForeignKey("treatment_session.id", ondelete="CASCADE"),
            nullable=False, unique=True,
        ),
        sa.Column("ask_on", sa.Date, nullable=False, index=True),
    )
    op.create_table(
        "recall_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("recall_id", sa.Integer, sa.ForeignKey("recall.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("asked_at", instant(), nullable=False),
        sa.Column("asked_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_table(
        "resource_booking",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("appointment_id", sa.Integer, sa.ForeignKey("appointment.id", ondelete="CASCADE"), nullable=False),
        sa.Column("resource_id", sa.Integer, sa.ForeignKey("resource.id"), nullable=False),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id"), nullable=False),
        sa.Column("need", sa.Integer, nullable=False),
        sa.Column("starts_at", instant(), nullable=False),
        sa.Column("ends_at", instant(), nullable=False),
        sa.UniqueConstraint("appointment_id", "need"),
        sa.CheckConstraint("ends_at > starts_at", name="span"),
        sa.Index("ix_resource_booking_reading", "resource_id", "ends_at", "starts_at"),
    )
    for statement in _SQLITE_GUARDS if is_sqlite() else _POSTGRESQL_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    if not is_sqlite():
        for function in _POSTGRESQL_FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}()")


def _where(condition: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


_TABLES = (
    "business",
    "clinic",
    "protocol",
    "resource",
    "sign_in_attempt",
    "treatment",
    "worker",
    "absence",
    "closure",
    "device",
    "opening_hours",
    "patient",
    "practitioner",
    "room",
    "travel_time",
    "account",
    "message",
    "qualification",
    "rota",
    "account_role",
    "audit",
    "browser_session",
    "clinical_note",
    "idempotency_key",
    "message_attempt",
    "message_item",
    "protocol_version",
    "rota_span",
    "task",
    "course",
    "course_override",
    "maintenance_plan",
    "screening",
    "treatment_session",
    "appointment",
    "recall",
    "recall_attempt",
    "resource_booking",
)

_SQLITE_GUARDS = (
    """CREATE TRIGGER resource_booking_overlap_insert
BEFORE INSERT ON resource_booking
BEGIN
  SELECT RAISE(ABORT, 'resource_booking_instants') WHERE typeof(NEW.starts_at) <> 'integer'
    OR typeof(NEW.ends_at) <> 'integer';
  SELECT RAISE(ABORT, 'resource_booking_overlap') WHERE EXISTS (
    SELECT 1 FROM resource_booking AS other WHERE other.resource_id = NEW.resource_id
      AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at);
END""",
    """CREATE TRIGGER resource_booking_overlap_update
BEFORE UPDATE ON resource_booking
BEGIN
  SELECT RAISE(ABORT, 'resource_booking_instants') WHERE typeof(NEW.starts_at) <> 'integer'
    OR typeof(NEW.ends_at) <> 'integer';
  SELECT RAISE(ABORT, 'resource_booking_overlap') WHERE EXISTS (
    SELECT 1 FROM resource_booking AS other WHERE other.resource_id = NEW.resource_id
      AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at AND other.id <> NEW.id);
END""",
    """CREATE TRIGGER resource_booking_blocks_insert
BEFORE INSERT ON resource_booking
WHEN (SELECT state FROM appointment WHERE id = NEW.appointment_id) NOT IN ('arrived', 'booked', 'fulfilled', 'proposed')
BEGIN
  SELECT RAISE(ABORT, 'resource_booking_blocks');
END""",
    """CREATE TRIGGER resource_booking_blocks_update
BEFORE UPDATE OF appointment_id ON resource_booking
WHEN (SELECT state FROM appointment WHERE id = NEW.appointment_id) NOT IN ('arrived', 'booked', 'fulfilled', 'proposed')
BEGIN
  SELECT RAISE(ABORT, 'resource_booking_blocks');
END""",
    """CREATE TRIGGER appointment_frees
AFTER UPDATE OF state ON appointment WHEN NEW.state NOT IN ('arrived', 'booked', 'fulfilled', 'proposed')
BEGIN
  DELETE FROM resource_booking WHERE appointment_id = NEW.id;
END""",
    """CREATE TRIGGER audit_append_only_update
BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'audit_append_only');
END""",
    """CREATE TRIGGER audit_append_only_delete
BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'audit_append_only');
END""",
    """CREATE TRIGGER message_attempt_append_only_update
BEFORE UPDATE ON message_attempt
BEGIN
  SELECT RAISE(ABORT, 'message_attempt_append_only');
END""",
    """CREATE TRIGGER message_attempt_append_only_delete
BEFORE DELETE ON message_attempt
BEGIN
  SELECT RAISE(ABORT, 'message_attempt_append_only');
END""",
    """CREATE TRIGGER protocol_version_immutable
BEFORE UPDATE OF document, number, protocol_id ON protocol_version
BEGIN
  SELECT RAISE(ABORT, 'protocol_version_immutable');
END""",
    """CREATE TRIGGER message_bytes_frozen
BEFORE UPDATE OF mime, mime_sha256, message_id ON message WHEN OLD.mime IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'message_bytes_frozen');
END""",
)

_POSTGRESQL_GUARDS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "ALTER TABLE resource_booking ADD CONSTRAINT resource_booking_overlap EXCLUDE USING gist (resource_id "
    "WITH =, tstzrange(starts_at, ends_at) WITH &&)",
    "CREATE FUNCTION resource_booking_blocks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT state "
    "FROM appointment WHERE id = NEW.appointment_id FOR NO KEY UPDATE) NOT IN ('arrived', 'booked', "
    "'fulfilled', 'proposed') THEN RAISE EXCEPTION 'resource_booking_blocks' USING ERRCODE = "
    "'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER resource_booking_blocks BEFORE INSERT OR UPDATE OF appointment_id ON resource_booking FOR "
    "EACH ROW EXECUTE FUNCTION resource_booking_blocks()",
    "CREATE FUNCTION appointment_frees() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state NOT IN "
    "('arrived', 'booked', 'fulfilled', 'proposed') THEN DELETE FROM resource_booking WHERE appointment_id = "
    "NEW.id; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER appointment_frees AFTER UPDATE OF state ON appointment FOR EACH ROW EXECUTE FUNCTION "
    "appointment_frees()",
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "'audit_append_only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION "
    "audit_append_only()",
    "CREATE FUNCTION message_attempt_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
    "EXCEPTION 'message_attempt_append_only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER message_attempt_append_only BEFORE UPDATE OR DELETE ON message_attempt FOR EACH ROW "
    "EXECUTE FUNCTION message_attempt_append_only()",
    "CREATE FUNCTION protocol_version_immutable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
    "EXCEPTION 'protocol_version_immutable' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER protocol_version_immutable BEFORE UPDATE OF document, number, protocol_id ON "
    "protocol_version FOR EACH ROW EXECUTE FUNCTION protocol_version_immutable()",
    "CREATE FUNCTION message_bytes_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.mime IS NOT "
    "NULL THEN RAISE EXCEPTION 'message_bytes_frozen' USING ERRCODE = 'integrity_constraint_violation'; END "
    "IF; RETURN NEW; END $$",
    "CREATE TRIGGER message_bytes_frozen BEFORE UPDATE OF mime, mime_sha256, message_id ON message FOR EACH "
    "ROW EXECUTE FUNCTION message_bytes_frozen()",
    "CREATE TRIGGER audit_append_only_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION "
    "audit_append_only()",
    "CREATE TRIGGER message_attempt_append_only_truncate BEFORE TRUNCATE ON message_attempt FOR EACH "
    "STATEMENT EXECUTE FUNCTION message_attempt_append_only()",
)

_POSTGRESQL_FUNCTIONS = (
    "resource_booking_blocks",
    "appointment_frees",
    "audit_append_only",
    "message_attempt_append_only",
    "protocol_version_immutable",
    "message_bytes_frozen",
)
