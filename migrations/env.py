"""Runs revisions on the connection that `clinic.store.migrate` hands over, inside its transaction."""
import sqlalchemy as sa
from alembic import context
from migration_tools import NAMES

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=sa.MetaData(naming_convention=NAMES),
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
