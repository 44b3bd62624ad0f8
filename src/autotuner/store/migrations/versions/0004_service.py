"""The service: tasks on their way to workers, tokens, profiles, v1's tables.

The table of experiments becomes experiments_v2: v1's has had the name before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FIGURES = [
    f"{which}_{metric}"
    for which in ("predicted", "actual")
    for metric in ("throughput_tok_s", "ttft_ms", "tpot_ms", "latency_p90_ms")
]
_FLAGS = ("is_on_predicted_frontier", "is_on_actual_frontier")
_NEW_TABLES = (
    "workers",
    "engine_processes",
    "tokens",
    "profiles",
    "idempotency_keys",
    "parameter_presets",
)


def _task_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("description", sa.String(), nullable=False, server_default=""),
        sa.Column("origin", sa.String(20), nullable=False, server_default="cli"),
        sa.Column("base", sa.String()),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("needs_gpu", sa.String(40), nullable=False, server_default=""),
        sa.Column("needs_gpus", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("updated_at", sa.DateTime()),
        sa.Column("queued_at", sa.DateTime()),
        sa.Column("started_at", sa.DateTime()),
        sa.Column("worker", sa.String(40)),
        sa.Column("lease", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("beat", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("wanted", sa.String(20), nullable=False, server_default=""),
        sa.Column("v1_task_id", sa.Integer()),
    ]


def upgrade() -> None:
    for column in _task_columns():
        op.add_column("tasks_v2", column)
    op.create_index("ix_tasks_v2_v1_task_id", "tasks_v2", ["v1_task_id"])
    op.rename_table("experiments", "experiments_v2")
    if op.get_bind().dialect.name == "postgresql":
        # Its names of indices and sequences are of the whole schema: v1's table wants them.
        op.execute("ALTER INDEX pk_experiments RENAME TO pk_experiments_v2")
        op.execute("ALTER SEQUENCE experiments_id_seq RENAME TO experiments_v2_id_seq")
    for name in _FIGURES:
        op.add_column("experiments_v2", sa.Column(name, sa.Float()))
    for name in _FLAGS:
        op.add_column(
            "experiments_v2",
            sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    _create_ours()
    _create_v1()


def _create_ours() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_started", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("gpu", sa.String(40), nullable=False),
        sa.Column("devices", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False, index=True),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "engine_processes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("worker", sa.String(40), nullable=False, index=True),
        sa.Column("task_id", sa.Integer()),
        sa.Column("host", sa.String(200), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("pid_started", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime()),
        sa.Column("revoked_at", sa.DateTime()),
        sa.Column("last_used_at", sa.DateTime()),
    )
    op.create_table(
        "profiles",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(300), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("answer", sa.JSON()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )


def _create_v1() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("task_name", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("status", sa.String(9)),
        sa.Column("model_config", sa.JSON(), nullable=False),
        sa.Column("base_runtime", sa.String(), nullable=False),
        sa.Column("runtime_image_tag", sa.String()),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("optimization_config", sa.JSON(), nullable=False),
        sa.Column("benchmark_config", sa.JSON(), nullable=False),
        sa.Column("slo_config", sa.JSON()),
        sa.Column("quant_config", sa.JSON()),
        sa.Column("parallel_config", sa.JSON()),
        sa.Column("clusterbasemodel_config", sa.JSON()),
        sa.Column("clusterservingruntime_config", sa.JSON()),
        sa.Column("created_clusterbasemodel", sa.String()),
        sa.Column("created_clusterservingruntime", sa.String()),
        sa.Column("deployment_mode", sa.String()),
        sa.Column("metadata", sa.JSON()),
        sa.Column("total_experiments", sa.Integer()),
        sa.Column("successful_experiments", sa.Integer()),
        sa.Column(
            "best_experiment_id",
            sa.Integer(),
            sa.ForeignKey("experiments.id", use_alter=True),
        ),
        sa.Column("created_at", sa.DateTime()),
        sa.Column("started_at", sa.DateTime()),
        sa.Column("completed_at", sa.DateTime()),
        sa.Column("elapsed_time", sa.Float()),
    )
    op.create_index("ix_tasks_task_name", "tasks", ["task_name"], unique=True)
    op.create_index("ix_tasks_status", "tasks", ["status"])
    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("task_id", sa.Integer(), sa.ForeignKey("tasks.id"), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(12)),
        sa.Column("error_message", sa.String()),
        sa.Column("metrics", sa.JSON()),
        sa.Column("objective_score", sa.Float()),
        sa.Column("gpu_info", sa.JSON()),
        sa.Column("service_name", sa.String()),
        sa.Column("service_url", sa.String()),
        sa.Column("created_at", sa.DateTime()),
        sa.Column("started_at", sa.DateTime()),
        sa.Column("completed_at", sa.DateTime()),
        sa.Column("elapsed_time", sa.Float()),
    )
    op.create_index("ix_experiments_task_id", "experiments", ["task_id"])
    op.create_index("ix_experiments_objective_score", "experiments", ["objective_score"])
    if op.get_bind().dialect.name == "postgresql":
        # The two tables refer to each other: of them this one was made first.
        op.create_foreign_key(
            "fk_tasks_best_experiment_id", "tasks", "experiments", ["best_experiment_id"], ["id"]
        )
    op.create_table(
        "parameter_presets",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("category", sa.String(100)),
        sa.Column("runtime", sa.String(50)),
        sa.Column("is_system", sa.Boolean()),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON()),
        sa.Column("created_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.Column("updated_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
    )
    op.create_index("ix_parameter_presets_name", "parameter_presets", ["name"], unique=True)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_tasks_best_experiment_id", "tasks")
    for table in ("experiments", "tasks", *_NEW_TABLES):
        op.drop_table(table)
    for name in (*_FLAGS, *_FIGURES):
        op.drop_column("experiments_v2", name)
    op.rename_table("experiments_v2", "experiments")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_experiments_v2 RENAME TO pk_experiments")
        op.execute("ALTER SEQUENCE experiments_v2_id_seq RENAME TO experiments_id_seq")
    op.drop_index("ix_tasks_v2_v1_task_id", "tasks_v2")
    for column in reversed(_task_columns()):
        op.drop_column("tasks_v2", column.name)
