"""Say how visits end, with the causes, and fix an appointment that must not be moved."""
import sqlalchemy as sa
from alembic import op
from migration_tools import altered

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with altered("appointment") as appointment:
        appointment.add_column(sa.Column("ended_cause", sa.Text))
        appointment.add_column(sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()))
        appointment.create_check_constraint(
            "ended_cause",
            "ended_cause IS NULL"
            " OR state = 'cancelled' AND ended_cause IN"
            " ('tan', 'cold-sore', 'other-health', 'device', 'clinic-reason', 'patient-left')"
            " OR state = 'noshow' AND ended_cause IN ('forgot', 'ill', 'prevented', 'by-clinic')")
    with altered("treatment_session") as treatment_session:
        treatment_session.add_column(sa.Column("outcome", sa.Text))
        treatment_session.add_column(sa.Column("areas_treated", sa.Text))
        treatment_session.add_column(sa.Column("areas_left", sa.Text))
        treatment_session.create_check_constraint("outcome", "outcome IN ('treated', 'partly-treated')")
        treatment_session.create_check_constraint("outcome_of", "outcome IS NULL OR state = 'completed'")
        treatment_session.create_check_constraint(
            "areas",
            "(areas_left IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'partly-treated')"
            " AND (areas_treated IS NULL) = (areas_left IS NULL)")
    # Until now a completed session was always a whole one.
    op.execute("UPDATE treatment_session SET outcome = 'treated' WHERE state = 'completed'")


def downgrade() -> None:
    with altered("treatment_session") as treatment_session:
        treatment_session.drop_constraint("areas", type_="check")
        treatment_session.drop_constraint("outcome_of", type_="check")
        treatment_session.drop_constraint("outcome", type_="check")
        treatment_session.drop_column("areas_left")
        treatment_session.drop_column("areas_treated")
        treatment_session.drop_column("outcome")
    with altered("appointment") as appointment:
        appointment.drop_constraint("ended_cause", type_="check")
        appointment.drop_column("pinned")
        appointment.drop_column("ended_cause")
