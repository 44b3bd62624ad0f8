"""Runs the migrations on the connection that `store.upgrades.migrate` hands over."""

from alembic import context

from autotuner.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
