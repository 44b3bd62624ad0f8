/** Where a running task stands, made of its events. */

import type { TaskEvent } from "~/api/event-stream";
import { counted, gibibytes, type LoadLevel, load, timeLeft } from "~/ui/format";

export interface LaunchUnderWay {
  index: number;
  /** Number of the launch of its candidate: above 1 where it is launched again. */
  launch: number;
  /** Its number among the launches that confirm the result; null of a candidate's first launch. */
  further: { number: number; most: number } | null;
  step: "loading" | "ready" | "measuring";
  load: LoadLevel | null;
  requestsDone: number;
  requestsWanted: number;
  leftS: number | null;
  levelsMeasured: number;
}

export interface Phase {
  /** Number of the newest event that it is made of. */
  lastEvent: number;
  predicting: { asked: number; wanted: number } | null;
  /** Fetched before the next launch, as a container image; 0 of 0 GiB while nothing is known. */
  preparing: { what: string; doneGib: number; totalGib: number } | null;
  /** Launches under way, in their order: several where the task runs engines side by side. */
  launches: readonly LaunchUnderWay[];
  /** Whether launches have begun, so that between two of them the next one is chosen. */
  isSearching: boolean;
  /** Remarks on this run: a busy machine, trouble with a predictor. */
  remarks: readonly string[];
}

export const NO_PHASE: Phase = {
  lastEvent: 0,
  predicting: null,
  preparing: null,
  launches: [],
  isSearching: false,
  remarks: [],
};

/** The phase after an event; events that are known already change nothing. */
export function advance(phase: Phase, event: TaskEvent): Phase {
  if (event.id <= phase.lastEvent) return phase;
  return { ...phase, ...changeBy(phase, event.kind, event.payload), lastEvent: event.id };
}

type Payload = Record<string, unknown>;

function changeBy(phase: Phase, kind: string, payload: Payload): Partial<Phase> {
  const index = Number(payload.index);
  switch (kind) {
    case "claimed":
    case "taken_over":
      return NO_PHASE;
    case "predicting":
      return { predicting: { asked: Number(payload.asked), wanted: Number(payload.wanted) } };
    case "preparing":
      return {
        preparing: {
          what: String(payload.what),
          doneGib: Number(payload.done_gib ?? 0),
          totalGib: Number(payload.total_gib ?? 0),
        },
      };
    case "task_started":
      return { predicting: null, preparing: null, launches: [], isSearching: true };
    case "machine_busy":
      return remark(phase, payload.reason);
    case "prediction_trouble":
      return remark(phase, payload.message);
    case "experiment_started":
      return { predicting: null, preparing: null, launches: begun(phase.launches, index) };
    case "relaunch_started":
      return { preparing: null, launches: begun(phase.launches, index, payload) };
    case "engine_ready":
      return {
        launches: changed(phase.launches, index, (launch) => ({ ...launch, step: "ready" })),
      };
    case "level_progress":
      return { launches: changed(phase.launches, index, (launch) => measuring(launch, payload)) };
    case "level_measured":
      return {
        launches: changed(phase.launches, index, (launch) => ({
          ...launch,
          step: "ready",
          levelsMeasured: launch.levelsMeasured + 1,
        })),
      };
    case "experiment_ended":
    case "relaunch_ended":
      return { launches: phase.launches.filter((launch) => launch.index !== index) };
    case "released":
    case "task_ended":
      return { predicting: null, preparing: null, launches: [], isSearching: false };
    default:
      return {};
  }
}

function remark(phase: Phase, text: unknown): Partial<Phase> {
  const found = String(text);
  return phase.remarks.includes(found) ? {} : { remarks: [...phase.remarks, found] };
}

function begun(
  launches: readonly LaunchUnderWay[],
  index: number,
  again: Payload | null = null,
): LaunchUnderWay[] {
  const others = launches.filter((launch) => launch.index !== index);
  const isCounted = typeof again?.further === "number" && typeof again.most === "number";
  const launch: LaunchUnderWay = {
    index,
    launch: Number(again?.launch ?? 1),
    further: isCounted ? { number: Number(again.further), most: Number(again.most) } : null,
    step: "loading",
    load: null,
    requestsDone: 0,
    requestsWanted: 0,
    leftS: null,
    levelsMeasured: 0,
  };
  return [...others, launch].sort((a, b) => a.index - b.index);
}

function changed(
  launches: readonly LaunchUnderWay[],
  index: number,
  change: (launch: LaunchUnderWay) => LaunchUnderWay,
): LaunchUnderWay[] {
  const known = launches.some((launch) => launch.index === index);
  return (known ? launches : begun(launches, index)).map((launch) =>
    launch.index === index ? change(launch) : launch,
  );
}

function measuring(launch: LaunchUnderWay, payload: Payload): LaunchUnderWay {
  return {
    ...launch,
    step: "measuring",
    load: (payload.load as LoadLevel | null) ?? null,
    requestsDone: Number(payload.completed ?? 0),
    requestsWanted: Number(payload.wanted ?? 0),
    leftS: typeof payload.left_s === "number" ? payload.left_s : null,
  };
}

/** What is going on, a line for each launch under way, below what the next one waits for. */
export function phaseLines(phase: Phase, launches: number | null): string[] {
  if (phase.preparing !== null) {
    const others = phase.launches.map((one) => launchLine(one, launches));
    return [preparingLine(phase.preparing), ...others];
  }
  if (phase.predicting !== null && phase.launches.length === 0) {
    const { asked, wanted } = phase.predicting;
    return [`Predicting: ${asked} of ${counted(wanted, "candidate")}`];
  }
  if (phase.launches.length > 0) return phase.launches.map((one) => launchLine(one, launches));
  return [
    phase.isSearching
      ? "Choosing the next launch"
      : "Preparing: reading the model, making candidates",
  ];
}

function preparingLine({ what, doneGib, totalGib }: NonNullable<Phase["preparing"]>): string {
  const text = what.charAt(0).toUpperCase() + what.slice(1);
  return totalGib > 0 ? `${text}: ${gibibytes(doneGib)} of ${gibibytes(totalGib)}` : text;
}

function launchLine(launch: LaunchUnderWay, launches: number | null): string {
  const which = launchName(launch, launches);
  if (launch.step === "loading") return `${which}: loading the engine`;
  if (launch.step === "ready" || launch.load === null) {
    const measured = launch.levelsMeasured;
    return measured === 0
      ? `${which}: the engine is ready`
      : `${which}: ${counted(measured, "level")} measured`;
  }
  const done = `${launch.requestsDone} of ${counted(launch.requestsWanted, "request")}`;
  const left = launch.leftS === null ? "" : `, ${timeLeft(launch.leftS)}`;
  return `${which}: level ${load(launch.load)}, ${done}${left}`;
}

function launchName({ index, launch, further }: LaunchUnderWay, launches: number | null): string {
  if (further !== null) {
    return `Confirming, launch ${further.number} of at most ${further.most} (launch ${index} again)`;
  }
  if (launch > 1) return `Launch ${index} again, to confirm it`;
  return `Launch ${index}${launches === null ? "" : ` of ${launches}`}`;
}

/** Share of a task that is done, 0 to 1; null where the number of launches is not known. */
export function shareDone(
  finished: number,
  phase: Phase,
  launches: number | null,
  levels: number,
): number | null {
  if (launches === null || launches === 0) return null;
  const partly = phase.launches.map((launch) => {
    const level =
      launch.requestsWanted === 0 || launch.step !== "measuring"
        ? 0
        : launch.requestsDone / launch.requestsWanted;
    return Math.min((launch.levelsMeasured + level) / Math.max(levels, 1), 1);
  });
  const sum = partly.reduce((total, share) => total + share, finished);
  return Math.min(sum / launches, 1);
}
