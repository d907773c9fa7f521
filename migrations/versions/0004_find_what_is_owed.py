"""Find the sessions that are owed without looking at all others, on every page."""
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OWED = sa.text("state = 'owed'")


def upgrade() -> None:
    op.create_index("ix_treatment_session_owed", "treatment_session", ["earliest_on"],
                    sqlite_where=_OWED, postgresql_where=_OWED)


def downgrade() -> None:
    op.drop_index("ix_treatment_session_owed", "treatment_session")
