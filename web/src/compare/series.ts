/** What is compared: tasks and uploaded results, each as one series of points with what it is of. */

import type { OperatingPoint, TaskPoints } from "~/api/points";
import type { Task } from "~/api/tasks";
import type { ResultPoints } from "~/api/verify";
import { type SettingRow, settingRows } from "~/experiments/diff";
import { PointSet } from "~/explorer/point-set";
import { device, load, moment } from "~/ui/format";

export interface Series {
  /** `task 3`, `file a1b2…`: stable while others come and go. */
  key: string;
  taskId: number | null;
  name: string;
  model: string;
  workload: string;
  /** Name of a fact -> its value; facts are distinguished by these. */
  facts: Readonly<Record<string, string>>;
  points: PointSet;
  /** The point that stands for it; null while there is none. */
  best: OperatingPoint | null;
  objectives: readonly string[];
}

export function seriesOfTask(task: Task, { items, objectives }: TaskPoints): Series {
  const measured = items.filter((point) => point.kind === "measured" && point.is_steady);
  const { best } = task;
  const workload = workloadOf(task.config);
  return {
    key: `task ${task.id}`,
    taskId: task.id,
    name: task.name,
    model: task.model,
    workload,
    facts: {
      model: task.model,
      workload,
      engine: task.engine,
      "engine version": task.engine_version,
      system: device(task.device),
      ended: moment(task.ended_at ?? task.created_at),
      source: sourceOf(task, measured.length),
    },
    points: new PointSet(measured),
    best: best
      ? (measured.find(
          (point) =>
            point.experiment_index === best.experiment_index &&
            point.load.kind === best.load.kind &&
            point.load.value === best.load.value,
        ) ?? null)
      : null,
    objectives,
  };
}

function sourceOf({ is_replay: isReplay }: Task, points: number): string {
  if (points === 0) return "nothing is measured yet";
  return isReplay ? "replay of a landscape" : "measured";
}

export function seriesOfFile(found: ResultPoints): Series {
  const { file, models, engines, engine_versions: versions, systems, workloads, items } = found;
  const text = (values: readonly string[]) => values.join(", ");
  const isPredicted = items[0]?.kind === "predicted";
  return {
    key: `file ${file.id}`,
    taskId: null,
    name: file.name,
    model: text(models),
    workload: text(workloads),
    facts: {
      model: text(models),
      workload: text(workloads),
      engine: text(engines),
      "engine version": text(versions),
      system: text(systems),
      ended: moment(file.added_at),
      source: `${file.format}, ${isPredicted ? "predicted" : "measured"}`,
    },
    points: new PointSet(items),
    best: null,
    objectives: [],
  };
}

/** Lengths of a task's requests: `D(1024,512)`. */
export function workloadOf(config: Readonly<Record<string, unknown>>): string {
  const benchmark = (config.benchmark ?? {}) as Record<string, unknown>;
  const runtime = (config.runtime ?? {}) as Record<string, unknown>;
  const { workload } = benchmark;
  if (typeof workload === "string") return workload;
  if (workload !== undefined && workload !== null) return JSON.stringify(workload);
  const { isl, osl } = runtime;
  return isl === undefined && osl === undefined ? "" : `D(${isl ?? "?"},${osl ?? "?"})`;
}

/** Names of models: without owner, whatever their case. */
const plainModel = (model: string) => (model.split("/").at(-1) ?? "").toLowerCase();

/** In what a series is of something else than the first: a model, a workload, both or nothing. */
export function mixedWith(first: Series, other: Series): string[] {
  const differs = (one: string, two: string) => one !== "" && two !== "" && one !== two;
  return [
    ...(differs(plainModel(first.model), plainModel(other.model)) ? ["model"] : []),
    ...(differs(first.workload, other.workload) ? ["workload"] : []),
  ];
}

/** Rows in which the series differ: what they are, and what their best points set. */
export function differingRows(series: readonly Series[]): SettingRow[] {
  const facts = settingRows(
    series.map((one) => ({
      settings: Object.fromEntries(
        Object.entries(one.facts).map(([name, value]) => [name, value || "not stated"]),
      ),
    })),
  );
  const chosen = series.flatMap(({ best }) => best ?? []);
  const settings = settingRows(chosen.map((best) => ({ settings: ownSettings(best) })));
  const placed = settings.map((row): SettingRow => {
    const values = row.values.values();
    // A series without a best point sets nothing that could differ.
    return { ...row, values: series.map(({ best }) => (best ? (values.next().value ?? "") : "–")) };
  });
  return [...facts, ...placed].filter(({ differs }) => differs);
}

function ownSettings({ settings, load: level }: OperatingPoint): Record<string, unknown> {
  const own = Object.entries(settings).filter(
    ([path]) => !path.startsWith("system.") && !path.startsWith("runtime."),
  );
  return { "load of the best point": load(level), ...Object.fromEntries(own) };
}
