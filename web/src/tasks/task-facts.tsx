/** What a list shows of a task, alike in rows and on cards. */

import type { BestPoint, TaskItem } from "~/api/tasks";
import { isMostlyDisturbed } from "~/task/disturbance";
import { load, milliseconds, number } from "~/ui/format";
import { progressOf } from "./progress";
import classes from "./task-facts.module.css";

/** Marks that set a task apart: how it came, and whether its engine is real. */
export function Marks({ task }: { task: TaskItem }) {
  const marks = [
    task.origin === "v1" && "v1",
    task.origin === "cli" && "command line",
    task.is_replay && "replay",
  ].filter((mark) => mark !== false);
  return marks.map((mark) => (
    <span key={mark} className={classes.mark}>
      {mark}
    </span>
  ));
}

export function TaskProgress({ task }: { task: TaskItem }) {
  const { bar, text, time } = progressOf(task);
  return (
    <div className={classes.progress}>
      <div className={classes.both}>
        <span>{text || <span className="quiet">–</span>}</span>
        <span className="quiet">{time}</span>
      </div>
      {bar && (
        <div className={classes.bar} aria-hidden>
          <div className={classes.completed} style={{ width: `${100 * bar.completed}%` }} />
          <div className={classes.failed} style={{ width: `${100 * bar.failed}%` }} />
        </div>
      )}
    </div>
  );
}

const DISTURBED =
  "Most levels were measured while other processes used the machine or the load generator was late";

function isDisturbed({ levels, disturbed_levels: disturbed }: BestPoint): boolean {
  return levels != null && disturbed != null && isMostlyDisturbed({ levels, disturbed });
}

/** The best point so far; what it costs in latency, and whether that is within the SLO. */
export function BestResult({ best }: { best: BestPoint | null }) {
  if (best === null) return <span className="quiet">–</span>;
  return (
    <div className={classes.best}>
      <div className={classes.throughput}>
        {isDisturbed(best) && (
          <span className={classes.disturbed} title={DISTURBED}>
            disturbed
          </span>
        )}
        {best.meets_slo === false && <span className={classes.misses}>misses SLO</span>}
        <span>
          <strong>{number(best.tok_s_per_gpu)}</strong> <span className="quiet">tok/s/GPU</span>
        </span>
      </div>
      <div className={`quiet ${classes.line}`} title={`At ${load(best.load)}`}>
        TTFT {milliseconds(best.ttft_ms)}, TPOT {milliseconds(best.tpot_ms)}
      </div>
    </div>
  );
}

/** A model's name, and whose it is or where it lies beneath. */
export function ModelName({ model }: { model: string }) {
  const cut = model.replace(/\/+$/, "").lastIndexOf("/");
  return (
    <div title={model}>
      <div className={classes.clipped}>
        <bdi>{model.slice(cut + 1)}</bdi>
      </div>
      <div className={`quiet ${classes.line}`}>
        <bdi>{model.slice(0, Math.max(cut, 0))}</bdi>
      </div>
    </div>
  );
}
