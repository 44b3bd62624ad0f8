/** What is compared: tasks and uploaded results, each as one series of points with what it is of. */

import type { OperatingPoint, TaskPoints } from "~/api/points";
import type { Task } from "~/api/tasks";
import type { ResultPoint, ResultPoints } from "~/api/verify";
import { type SettingRow, settingRows } from "~/experiments/diff";
import { PointSet } from "~/explorer/point-set";
import type { Limits } from "~/explorer/slo";
import { device, load, moment } from "~/ui/format";

/** Settings that say which engine ran a point, and on which GPU. */
export const ENGINE = "system.backend";
export const GPU = "system.gpu_type";

export interface Series {
  /** `task 3`, `file a1b2…`, `file a1b2… 2`: stable while others come and go. */
  key: string;
  taskId: number | null;
  fileId: string | null;
  name: string;
  /** Name of the file that holds this series and others; null of what is whole. */
  partOf: string | null;
  isPredicted: boolean;
  /** Empty where it is not stated, as the workload. */
  model: string;
  workload: string;
  /** Name of a fact -> its value, empty where it is not stated; facts are distinguished by these. */
  facts: Readonly<Record<string, string>>;
  points: PointSet;
  /** What was predicted of a task; null of a file, and where nothing was. */
  predictions: PointSet | null;
  /** Limits of a task: latency -> ms. */
  slo: Limits;
  /** The point that stands for it; null while there is none. */
  best: OperatingPoint | null;
  objectives: readonly string[];
}

export function seriesOfTask(task: Task, { items, objectives, slo }: TaskPoints): Series {
  const { best, model } = task;
  const workload = workloadOf(task.config);
  const machine = {
    engine: task.engine.includes(",") ? null : task.engine,
    gpu: (task.device || task.requested_gpu).replace(/^\d+ x /, ""),
  };
  const of = (kind: OperatingPoint["kind"]) =>
    items
      .filter((point) => point.kind === kind && point.is_steady)
      .map((point) => onMachine(point, machine));
  const [measured, predicted] = [of("measured"), of("predicted")];
  return {
    key: `task ${task.id}`,
    taskId: task.id,
    fileId: null,
    name: task.name,
    partOf: null,
    isPredicted: false,
    model,
    workload,
    facts: {
      model,
      workload,
      engine: task.engine,
      "engine version": task.engine_version,
      system: device(task.device),
      ended: moment(task.ended_at ?? task.created_at),
      source: sourceOf(task, measured.length),
    },
    points: new PointSet(measured),
    predictions: predicted.length > 0 ? new PointSet(predicted) : null,
    slo,
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

/** The series of a file: one for each model and workload that it holds. */
export function seriesOfFile({ file, items }: ResultPoints): Series[] {
  const parts = new Map<string, ResultPoint[]>();
  for (const point of items) {
    const of = `${plainModel(point.model ?? "")}\n${point.workload ?? ""}`;
    const part = parts.get(of);
    if (part === undefined) parts.set(of, [point]);
    else part.push(point);
  }
  return [...parts.values()].map((part, place) => {
    const stated = (field: "engine" | "engine_version" | "system") =>
      [...new Set(part.flatMap((point) => point[field] ?? []))].sort().join(", ");
    const model = part[0]?.model ?? "";
    const workload = part[0]?.workload ?? "";
    const isWhole = parts.size === 1;
    const isPredicted = part.some(({ kind }) => kind === "predicted");
    return {
      key: isWhole ? `file ${file.id}` : `file ${file.id} ${place + 1}`,
      taskId: null,
      fileId: file.id,
      name: isWhole
        ? file.name
        : `${file.name}: ${model || "model not stated"}, ${workload || "workload not stated"}`,
      partOf: isWhole ? null : file.name,
      isPredicted,
      model,
      workload,
      facts: {
        model,
        workload,
        engine: stated("engine"),
        "engine version": stated("engine_version"),
        system: stated("system"),
        uploaded: moment(file.added_at),
        source: `${file.format}, ${isPredicted ? "predicted" : "measured"}`,
      },
      points: new PointSet(
        part.map((point) => {
          const placed = onMachine(point, { engine: point.engine, gpu: point.system });
          if (point.layout === null) return placed;
          return { ...placed, settings: { ...placed.settings, layout: point.layout } };
        }),
      ),
      predictions: null,
      slo: {},
      best: null,
      objectives: [],
    };
  });
}

/** A series as it is drawn, with the place of its colour and form. */
export interface DrawnSeries {
  series: Series;
  place: number;
  /** Whether it is what was predicted of the task before it. */
  isCompanion: boolean;
}

/** The series as they are drawn: each, and after it its predictions where they are asked for. */
export function drawnSeries(
  series: readonly Series[],
  withPredictions: boolean,
): readonly DrawnSeries[] {
  return series.flatMap((one, place): DrawnSeries[] => {
    const own = { series: one, place, isCompanion: false };
    if (!withPredictions || one.predictions === null) return [own];
    const predicted = {
      ...one,
      key: `${one.key} predicted`,
      isPredicted: true,
      points: one.predictions,
      best: null,
    };
    return [own, { series: predicted, place, isCompanion: true }];
  });
}

/** The point with the engine and the GPU that its series states, where its own settings do not. */
function onMachine(
  point: OperatingPoint,
  { engine, gpu }: { engine: string | null; gpu: string | null },
): OperatingPoint {
  const { settings } = point;
  const added = {
    ...(!settings[ENGINE] && engine && { [ENGINE]: engine }),
    // What it ran on is truer than what was asked for.
    ...(gpu && settings[GPU] !== gpu && { [GPU]: gpu }),
  };
  return Object.keys(added).length === 0
    ? point
    : { ...point, settings: { ...settings, ...added } };
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
export const plainModel = (model: string) => (model.split("/").at(-1) ?? "").toLowerCase();

/** Rows in which the series differ: what they are, and what their best points set. */
export function differingRows(series: readonly Series[]): SettingRow[] {
  const names = [...new Set(series.flatMap(({ facts }) => Object.keys(facts)))];
  const facts = settingRows(
    series.map((one) => ({
      settings: Object.fromEntries(
        // A task was not uploaded, and a file did not end.
        names.map((name) => [name, name in one.facts ? one.facts[name] || "not stated" : "–"]),
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

/** How many points were disturbed while they were measured. */
export const disturbedOf = ({ points }: Pick<Series, "points">): number =>
  points.points.filter((point) => point.is_disturbed).length;

function ownSettings({
  settings,
  load: level,
  is_disturbed: isDisturbed,
}: OperatingPoint): Record<string, unknown> {
  const own = Object.entries(settings).filter(
    ([path]) => !path.startsWith("system.") && !path.startsWith("runtime."),
  );
  const place = load(level) + (isDisturbed ? ", disturbed" : "");
  return { "load of the best point": place, ...Object.fromEntries(own) };
}
