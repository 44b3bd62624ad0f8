"""From the first revision with data, up, down, and up again: equal, on both databases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, make_url, text

from autotuner.launch import EngineHandle
from autotuner.store import Store, v1_schema
from autotuner.store.database import connected, known_revisions
from autotuner.store.schema import Base
from autotuner.store.sessions import Sessions
from autotuner.store.upgrades import alembic_config, migrate
from autotuner.store.workers import Workers

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
]
OLD_TASK = """INSERT INTO tasks_v2 (id, name, content_id, config, config_version, model, engine,
    engine_version, device, plan, status, stop_reason, created_at, wall_s)
    VALUES (1, 'é "old"', 'c', '{"version": 2}', 2, 'm', 'llamacpp', '1', 'cpu', '{}',
    'completed', 'all launched', '2026-01-02 03:04:05', 1.5)"""
OLD_EXPERIMENT = """INSERT INTO experiments (id, task_id, idx, candidate_id, settings, command,
    status, selection_reason, phase, log_path, startup_s, measure_s, started_at)
    VALUES (1, 1, 1, 'a', '{"misc.threads": 2}', 'c', 'completed', 'r', 'grid', 'l', 1.0, 2.0,
    '2026-01-02 03:04:05')"""
OLD_EVENT = """INSERT INTO events (id, task_id, at, kind, payload)
    VALUES (1, 1, '2026-01-02 03:04:05', 'run_ended', '{"status": "completed"}')"""


@pytest.fixture
def engine(tmp_path: Path, empty_database: str | None) -> Engine:
    url = make_url(empty_database or f"sqlite:///{tmp_path / 'old.db'}")
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return connected(url)


def content(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for name, table in sorted(found.tables.items())
        }


@pytest.mark.slow
def test_up_down_and_up_again_is_equal_at_every_revision(engine: Engine) -> None:
    migrate(engine, REVISIONS[0])
    with engine.begin() as connection:
        for statement in (OLD_TASK, OLD_EXPERIMENT, OLD_EVENT):
            connection.execute(text(statement))
    contents = [content(engine)]
    for revision in REVISIONS[1:]:
        migrate(engine, revision)
        contents.append(content(engine))
    for revision, kept in reversed(list(zip(REVISIONS, contents, strict=True))):
        migrate(engine, revision)
        assert content(engine) == kept
    migrate(engine)
    assert content(engine) == contents[-1]
    migrate(engine, "base")
    assert set(content(engine)) == {"alembic_version"}
    engine.dispose()


OLD_OBSERVATION = """INSERT INTO observations (id, digest, task_id, model, engine, device, devices,
    settings, isl, osl, concurrency, ttft_ms, tpot_ms, tok_s, base, base_ttft_ms, base_tpot_ms,
    launch, tool, source) VALUES (:id, :digest, :task_id, :model, 'vllm', 'h100', 1, '{}', 8, 4, 1,
    1.0, 1.0, 1.0, 'roofline', 1.0, 1.0, 'l', :tool, 's')"""
FOLDER, FILE, HUB = (
    '{"version": 2, "model": {"path": "models/Llama-3.1-8B-Instruct"}}',
    '{"version": 2, "model": {"path": "Llama-3.1-8B.Q4_0.gguf"}}',
    '{"version": 2, "model": {"id": "Qwen/Qwen2.5-7B"}}',
)


@pytest.mark.parametrize(
    ("config", "model", "tool", "trusted"),
    [
        (FOLDER, "Llama-3", "autotuner", False),
        (FOLDER, "Llama-3.1-8B-Instruct", "autotuner", True),
        (FILE, "Llama-3.1-8B.Q4_0", "autotuner", True),
        (HUB, "Qwen/Qwen2.5-7B", "autotuner", True),
        (None, "Llama-3", "autotuner", False),
        (None, "Llama-3", "aiperf", True),
        (None, "meta-llama/Llama-3", "autotuner", True),
        (None, "smollm2-135m", "autotuner", True),
        (None, "tiny-Q4_0", "autotuner", True),
    ],
)
def test_observations_of_names_cut_at_a_dot_are_not_trusted(
    engine: Engine, config: str | None, model: str, tool: str, trusted: bool
) -> None:
    migrate(engine, "0006")
    with engine.begin() as connection:
        task_id = None
        if config is not None:
            task = text(OLD_TASK.replace("'{\"version\": 2}'", ":config"))
            connection.execute(task, {"config": config})
            task_id = 1
        row = {"id": 1, "digest": "d", "task_id": task_id, "model": model, "tool": tool}
        connection.execute(text(OLD_OBSERVATION), row)
    migrate(engine, "0007")
    (found,) = content(engine)["observations"]
    assert (found["not_trusted"] is None) == trusted
    migrate(engine, "0006")
    assert "not_trusted" not in content(engine)["observations"][0]
    engine.dispose()


def test_what_is_not_trusted_is_kept_and_not_given_to_predictions(tmp_path: Path) -> None:
    old = connected(make_url(f"sqlite:///{tmp_path / 'autotuner.db'}"))
    migrate(old, "0006")
    row = {"id": 1, "digest": "d", "task_id": None, "model": "Llama-3", "tool": "autotuner"}
    with old.begin() as connection:
        connection.execute(text(OLD_OBSERVATION), row)
    old.dispose()
    with Store.open(tmp_path) as store:
        assert store.observations() == ()
        (kept,) = store.observations(trusted=False)
    assert "cut at a dot" in (kept.not_trusted or "")


def test_published_rows_are_not_ones_own(engine: Engine) -> None:
    migrate(engine, "0018")
    row = OLD_OBSERVATION.replace("concurrency,", "load_kind, load_value,").replace(
        "8, 4, 1,", "8, 4, 'concurrency', 1,"
    )
    with engine.begin() as connection:
        for number, source in enumerate(("silicon_sample.csv", "mine.json"), start=1):
            seen = {"id": number, "digest": f"d{number}", "task_id": None, "model": "m"}
            written = row.replace("'s')", f"'{source}')")
            connection.execute(text(written), seen | {"tool": "published"})
    migrate(engine)
    found = {one["source"]: one for one in content(engine)["observations"]}
    published, own = found["silicon_sample.csv"], found["mine.json"]
    assert (published["origin"], published["licence"]) == ("aiconfigurator", "Apache-2.0")
    assert (own["origin"], own["licence"]) == ("", "")
    migrate(engine, "0018")
    assert "origin" not in content(engine)["observations"][0]
    engine.dispose()


def test_the_tables_are_those_that_the_code_knows(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = [
            difference
            for difference in compare_metadata(context, Base.metadata)
            if difference[0] in ("add_table", "remove_table", "add_column", "remove_column")
        ]
    assert differences == []
    engine.dispose()


def test_an_old_run_is_read_by_this_version(tmp_path: Path) -> None:
    old = connected(make_url(f"sqlite:///{tmp_path / 'autotuner.db'}"))
    migrate(old, REVISIONS[0])
    with old.begin() as connection:
        for statement in (OLD_TASK, OLD_EXPERIMENT, OLD_EVENT):
            connection.execute(text(statement))
    old.dispose()
    with Store.open(tmp_path) as store:
        (run,) = store.tasks.all()
        (experiment,) = store.experiments(run.id)
        task = store.tasks.get(run.id)
    assert (run.name, experiment.candidate_id) == ('é "old"', "a")
    assert task is not None
    assert (task.origin, task.requested_gpu, task.lease) == ("cli", "", 0)


def test_v1_tables_are_as_v1_has_them() -> None:
    """Names of columns in their order, as the predecessor's own database has them."""
    assert {table.name: [c.name for c in table.columns] for table in v1_schema_tables()} == V1


def v1_schema_tables() -> list[Any]:
    return [v1_schema.tasks, v1_schema.experiments, v1_schema.parameter_presets]


V1 = {
    "tasks": [
        *("id", "task_name", "description", "status", "model_config", "base_runtime"),
        *("runtime_image_tag", "parameters", "optimization_config", "benchmark_config"),
        *("slo_config", "quant_config", "parallel_config", "clusterbasemodel_config"),
        *("clusterservingruntime_config", "created_clusterbasemodel"),
        *("created_clusterservingruntime", "deployment_mode", "metadata", "total_experiments"),
        *("successful_experiments", "best_experiment_id", "created_at", "started_at"),
        *("completed_at", "elapsed_time"),
    ],
    "experiments": [
        *("id", "task_id", "experiment_id", "parameters", "status", "error_message", "metrics"),
        *("objective_score", "gpu_info", "service_name", "service_url", "created_at"),
        *("started_at", "completed_at", "elapsed_time"),
    ],
    "parameter_presets": [
        *("id", "name", "description", "category", "runtime", "is_system", "parameters"),
        *("metadata", "created_at", "updated_at"),
    ],
}


def test_the_revisions_are_those_of_the_scripts() -> None:
    assert list(known_revisions()) == REVISIONS
    scripts = ScriptDirectory.from_config(alembic_config())
    assert known_revisions()[-1] == scripts.get_current_head()


@pytest.mark.parametrize(
    ("config", "plan", "launches", "is_replay"),
    [
        ("{}", "{}", None, False),
        ("{}", '{"candidates": 7}', 7, False),
        ('{"optimization": {"budget": {"experiments": 3}}}', '{"candidates": 7}', 3, False),
        ('{"optimization": {"budget": {"minutes": 3}}}', '{"candidates": 7}', 7, False),
        ('{"deployment_mode": "replay", "optimization": null}', '{"candidates": 2}', 2, True),
    ],
)
def test_columns_of_lists_are_filled_from_documents(
    engine: Engine, config: str, plan: str, launches: int | None, is_replay: bool
) -> None:
    migrate(engine, "0014")
    statement = OLD_TASK.replace("'{\"version\": 2}'", ":config").replace("'{}'", ":plan")
    with engine.begin() as connection:
        connection.execute(text(statement), {"config": config, "plan": plan})
    migrate(engine)
    (found,) = content(engine)["tasks_v2"]
    assert (found["launches"], bool(found["is_replay"])) == (launches, is_replay)
    assert (found["best"], found["expected_wall_s"]) == (None, None)
    engine.dispose()


PROCESSES = """INSERT INTO engine_processes (worker, task_id, host, boot, pid, pid_started,
    started_at) VALUES ('w1', 1, 'gpu-7', 'b/1', 4711, 123456, '2026-01-02 03:04:05'),
    ('w2', NULL, 'gpu-8', 'c:d', 12, 7, '2026-01-02 03:04:05')"""
WORKER = """INSERT INTO workers (id, name, kind, host, boot, pid, pid_started, version, gpu,
    devices, status, beat, started_at, seen_at) VALUES ('w1', 'n', 'worker', 'gpu-7', 'b/1', 3,
    2000000000, '1', 'cpu', '["cpu"]', 'busy', 5, '2026-01-02 03:04:05', '2026-01-02 03:04:05')"""


def test_engines_that_run_while_the_database_is_upgraded_are_kept_by_their_handles(
    engine: Engine,
) -> None:
    migrate(engine, "0009")
    with engine.begin() as connection:
        for statement in (PROCESSES, WORKER):
            connection.execute(text(statement))
    before = content(engine)
    migrate(engine)
    workers = Workers(Sessions(engine, "database"))
    first, second = workers.engines()
    assert (first.id, first.worker, first.task_id) == (1, "w1", 1)
    assert first.handle == EngineHandle("local", "4711:123456:b/1", "gpu-7")
    assert (second.id, second.worker, second.task_id) == (2, "w2", None)
    assert second.handle == EngineHandle("local", "12:7:c:d", "gpu-8")
    (worker,) = workers.all()
    assert (worker.heartbeat, worker.pid_started) == (5, 2_000_000_000)
    late = replace(worker, id="w3", pid_started=2**40)
    workers.add(late)
    workers.engine_started(late, 1, EngineHandle("docker", "abc", "gpu-7"))
    assert workers.engines()[-1].id == 3, "a number is not given twice"
    workers.forget("w3")
    migrate(engine, "0009")
    assert content(engine) == before, "what the former version cannot keep is gone, the rest is not"


def test_an_upgrade_adds_the_presets_of_the_system_but_for_names_that_are_taken(
    engine: Engine,
) -> None:
    migrate(engine, "0016")
    own = {"name": "Balanced", "parameters": {"tp": [1]}, "is_system": False}
    with engine.begin() as connection:
        connection.execute(v1_schema.parameter_presets.insert().values(own))
    migrate(engine)
    found = content(engine)["parameter_presets"]
    assert [(row["name"], bool(row["is_system"])) for row in found] == [
        ("Balanced", False),
        ("Memory Efficient", True),
        ("High Throughput", True),
        ("Low Latency", True),
    ]
    migrate(engine, "0016")
    assert [row["name"] for row in content(engine)["parameter_presets"]] == ["Balanced"]
    engine.dispose()
