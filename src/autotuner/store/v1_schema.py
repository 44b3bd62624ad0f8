"""The predecessor's tables, as its own database has them: names, types and indices are v1's.

Enum columns hold upper-case names. A JSON null may be SQL NULL or the text `null`. Times are
naive UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from autotuner.store.schema import Base

tasks = Table(
    "tasks",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("task_name", String, nullable=False),
    Column("description", String),
    Column("status", String(9)),
    Column("model_config", JSON, nullable=False),
    Column("base_runtime", String, nullable=False),
    Column("runtime_image_tag", String),
    Column("parameters", JSON, nullable=False),
    Column("optimization_config", JSON, nullable=False),
    Column("benchmark_config", JSON, nullable=False),
    Column("slo_config", JSON),
    Column("quant_config", JSON),
    Column("parallel_config", JSON),
    Column("clusterbasemodel_config", JSON),
    Column("clusterservingruntime_config", JSON),
    Column("created_clusterbasemodel", String),
    Column("created_clusterservingruntime", String),
    Column("deployment_mode", String),
    Column("metadata", JSON),
    Column("total_experiments", Integer),
    Column("successful_experiments", Integer),
    Column("best_experiment_id", Integer, ForeignKey("experiments.id", use_alter=True)),
    Column("created_at", DateTime),
    Column("started_at", DateTime),
    Column("completed_at", DateTime),
    Column("elapsed_time", Float),
    Index("ix_tasks_task_name", "task_name", unique=True),
    Index("ix_tasks_status", "status"),
    sqlite_autoincrement=True,
)

experiments = Table(
    "experiments",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("status", String(12)),
    Column("error_message", String),
    Column("metrics", JSON),
    Column("objective_score", Float),
    Column("gpu_info", JSON),
    Column("service_name", String),
    Column("service_url", String),
    Column("created_at", DateTime),
    Column("started_at", DateTime),
    Column("completed_at", DateTime),
    Column("elapsed_time", Float),
    Index("ix_experiments_task_id", "task_id"),
    Index("ix_experiments_objective_score", "objective_score"),
    sqlite_autoincrement=True,
)

parameter_presets = Table(
    "parameter_presets",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("description", Text),
    Column("category", String(100)),
    Column("runtime", String(50)),
    Column("is_system", Boolean),
    Column("parameters", JSON, nullable=False),
    Column("metadata", JSON),
    Column("created_at", DateTime, server_default=text("CURRENT_TIMESTAMP")),
    Column("updated_at", DateTime, server_default=text("CURRENT_TIMESTAMP")),
    Index("ix_parameter_presets_name", "name", unique=True),
    sqlite_autoincrement=True,
)
