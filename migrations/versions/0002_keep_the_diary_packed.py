"""Keep the diary packed: what resources are booked for as bits, a page a row, and each change since as a span."""
import sqlalchemy as sa
from alembic import op
from migration_tools import instant, is_sqlite

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "occupancy",
        _resource_id(primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True),
        sa.Column("clinic_id", sa.Integer, sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("bits", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "occupancy_change",
        sa.Column("id", sa.Integer, primary_key=True),
        _resource_id(nullable=False, index=True),
        sa.Column("clinic_id", sa.Integer, nullable=False),
        sa.Column("starts_at", instant(), nullable=False),
        sa.Column("ends_at", instant(), nullable=False),
        sa.Column("is_held", sa.Boolean, nullable=False),
    )
    op.drop_index("ix_absence_resource_id", "absence")
    op.create_index("ix_absence_reading", "absence", ["resource_id", "ends_at"])
    op.execute(
        "INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held) "
        "SELECT held.resource_id, held.clinic_id, held.starts_at, held.ends_at, true FROM resource_booking AS held "
        "JOIN resource ON resource.id = held.resource_id WHERE resource.kind <> 'patient' ORDER BY held.id"
    )
    for statement in _SQLITE_GUARDS if is_sqlite() else _POSTGRESQL_GUARDS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for name in ("resource_booking_changed_insert", "resource_booking_changed_update",
                 "resource_booking_changed_delete") if is_sqlite() else ():
        op.execute(f"DROP TRIGGER {name}")
    for name in () if is_sqlite() else ("resource_booking_changed", "resource_booking_emptied"):
        op.execute(f"DROP TRIGGER {name} ON resource_booking")
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_absence_reading", "absence")
    op.create_index("ix_absence_resource_id", "absence", ["resource_id"])
    op.drop_table("occupancy_change")
    op.drop_table("occupancy")


def _resource_id(**options: bool) -> sa.Column[int]:
    return sa.Column("resource_id", sa.Integer, sa.ForeignKey("resource.id", ondelete="CASCADE"), **options)


_SQLITE_GUARDS = (
    """CREATE TRIGGER resource_booking_changed_insert
AFTER INSERT ON resource_booking
BEGIN
  INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT NEW.resource_id, NEW.clinic_id, NEW.starts_at, NEW.ends_at, true
  FROM resource WHERE id = NEW.resource_id AND kind <> 'patient';
END""",
    """CREATE TRIGGER resource_booking_changed_update
AFTER UPDATE OF resource_id, clinic_id, starts_at, ends_at ON resource_booking
BEGIN
  INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT OLD.resource_id, OLD.clinic_id, OLD.starts_at, OLD.ends_at, false
  FROM resource WHERE id = OLD.resource_id AND kind <> 'patient';
  INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT NEW.resource_id, NEW.clinic_id, NEW.starts_at, NEW.ends_at, true
  FROM resource WHERE id = NEW.resource_id AND kind <> 'patient';
END""",
    """CREATE TRIGGER resource_booking_changed_delete
AFTER DELETE ON resource_booking
BEGIN
  INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT OLD.resource_id, OLD.clinic_id, OLD.starts_at, OLD.ends_at, false
  FROM resource WHERE id = OLD.resource_id AND kind <> 'patient';
END""",
)

_POSTGRESQL_GUARDS = (
    """CREATE FUNCTION resource_booking_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP <> 'INSERT' THEN
  INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT OLD.resource_id, OLD.clinic_id, OLD.starts_at, OLD.ends_at, false
  FROM resource WHERE id = OLD.resource_id AND kind <> 'patient';
END IF;
IF TG_OP <> 'DELETE' THEN
  INSERT INTO occupancy_change (resource_id, clinic_id, starts_at, ends_at, is_held)
  SELECT NEW.resource_id, NEW.clinic_id, NEW.starts_at, NEW.ends_at, true
  FROM resource WHERE id = NEW.resource_id AND kind <> 'patient';
END IF;
RETURN NULL; END $$""",
    "CREATE TRIGGER resource_booking_changed AFTER INSERT OR DELETE OR UPDATE OF resource_id, clinic_id, "
    "starts_at, ends_at ON resource_booking FOR EACH ROW EXECUTE FUNCTION resource_booking_changed()",
    "CREATE FUNCTION resource_booking_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "
    "occupancy_change; DELETE FROM occupancy; RETURN NULL; END $$",
    "CREATE TRIGGER resource_booking_emptied AFTER TRUNCATE ON resource_booking FOR EACH STATEMENT EXECUTE "
    "FUNCTION resource_booking_emptied()",
)
