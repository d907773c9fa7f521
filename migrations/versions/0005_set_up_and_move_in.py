"""Set a clinic up from its screens, and move in and out: papers, days of the rota, own words, merges, references."""
import sqlalchemy as sa
from alembic import op
from migration_tools import altered, instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NEW = ("certificate", "rota_day", "clinic_text", "imported", "patient_merge")


def upgrade() -> None:
    _create_tables()
    with altered("business") as business:
        business.add_column(sa.Column("held_since", instant()))
    with altered("account") as account:
        account.add_column(sa.Column("lock_version", sa.Integer, nullable=False, server_default="1"))
    with altered("treatment") as treatment:
        treatment.add_column(sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))
        treatment.add_column(sa.Column("lock_version", sa.Integer, nullable=False, server_default="1"))
    with altered("protocol") as protocol:
        protocol.add_column(sa.Column("consultation", sa.Text, nullable=False, server_default="none"))
        protocol.create_check_constraint("consultation", "consultation IN ('none', 'before', 'hold')")
    with altered("appointment") as appointment:
        appointment.add_column(sa.Column("told_start", sa.DateTime))
    with altered("absence") as absence:
        absence.add_column(sa.Column("source", sa.Text))
    with altered("patient") as patient:
        patient.add_column(sa.Column("merged_into_id", sa.Integer))
        patient.create_foreign_key("fk_patient_merged_into_id_patient", "patient", ["merged_into_id"], ["id"])
    op.create_index("ix_patient_merged_into_id", "patient", ["merged_into_id"])


def downgrade() -> None:
    op.drop_index("ix_patient_merged_into_id", "patient")
    with altered("patient") as patient:
        patient.drop_constraint("fk_patient_merged_into_id_patient", type_="foreignkey")
        patient.drop_column("merged_into_id")
    with altered("absence") as absence:
        absence.drop_column("source")
    with altered("appointment") as appointment:
        appointment.drop_column("told_start")
    with altered("protocol") as protocol:
        protocol.drop_constraint("consultation", type_="check")
        protocol.drop_column("consultation")
    with altered("treatment") as treatment:
        treatment.drop_column("lock_version")
        treatment.drop_column("active")
    with altered("account") as account:
        account.drop_column("lock_version")
    with altered("business") as business:
        business.drop_column("held_since")
    for name in reversed(_NEW):
        op.drop_table(name)


def _create_tables() -> None:
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.CheckConstraint("kind IN ('registration', 'insurance', 'training')", name="kind"),
        sa.CheckConstraint("expires_on IS NULL OR expires_on >= valid_from", name="span"),
    )
    op.create_index("ix_certificate_practitioner_id", "certificate", ["practitioner_id"])
    op.create_index("ix_certificate_expires_on", "certificate", ["expires_on"])
    op.create_table(
        "rota_day",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("practitioner_id", sa.Integer, sa.ForeignKey("practitioner.id", ondelete="CASCADE"), nullable=False),
        sa.Column("on_date", sa.Date, nullable=False),
        sa.Column("spans", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("practitioner_id", "on_date"),
    )
    op.create_table(
        "clinic_text",
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.CheckConstraint("code IN ('directions', 'cancellation', 'closing')", name="code"),
    )
    op.create_table(
        "imported",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("row_id", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    op.create_table(
        "patient_merge",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kept_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("merged_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("made_at", instant(), nullable=False),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("moved", sa.JSON, nullable=False),
        sa.Column("undone_at", instant()),
        sa.CheckConstraint("kept_id <> merged_id", name="two"),
    )
    op.create_index("ix_patient_merge_kept_id", "patient_merge", ["kept_id"])
    op.create_index("ix_patient_merge_merged_id", "patient_merge", ["merged_id"])
