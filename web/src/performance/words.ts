/** An explained point in words; `report/performance_words.py` has those of the terminal. */

import type {
  ExpectedChange,
  FigureChange,
  Latency,
  LearntRate,
  Limit,
  Performance,
  PerformancePart,
} from "~/api/performance";
import { change, counted, fieldName, number, percent, setting, unbroken } from "~/ui/format";

export const QUANTITIES = {
  ttft_ms: { title: "Time to first token", short: "TTFT" },
  tpot_ms: { title: "Time per output token", short: "TPOT" },
} as const satisfies Record<Latency["quantity"], { title: string; short: string }>;

/** Each limit, and what is done meanwhile. */
export const LIMITS: Readonly<Record<Limit, { title: string; meaning: string }>> = {
  "memory bandwidth": {
    title: "memory bandwidth",
    meaning: "reading weights and the KV cache from memory",
  },
  compute: { title: "compute", meaning: "multiplying matrices" },
  interconnect: { title: "interconnect", meaning: "exchanges between devices" },
  overhead: { title: "overhead", meaning: "the engine's own work, and starting kernels" },
};

export const shareOf = (part: PerformancePart, quantity: Latency["quantity"]): number =>
  quantity === "ttft_ms" ? part.ttft_share : part.tpot_share;

/** "Mostly compute (50 %), then interconnect (36 %)." */
export function limitsInWords(limits: Readonly<Record<string, number>>): string {
  const [first, second] = Object.entries(limits);
  if (first === undefined) return "";
  const named = ([name, share]: [string, number]) => `${name} (${percent(share, 0)})`;
  const most = first[1] >= 0.5 ? "Mostly" : "Mainly";
  const then = second && second[1] >= 0.1 ? `, then ${named(second)}` : "";
  return `${most} ${named(first)}${then}.`;
}

/** Whether what was measured lies where the parts would have it. */
export const isExplained = ({ value_ms, learnt_low_ms, learnt_high_ms }: Latency): boolean =>
  learnt_low_ms <= value_ms && value_ms <= learnt_high_ms;

/** The rate that a part reaches, learnt with its interval or as assumed. */
export function reachInWords(part: PerformancePart): string {
  if (!part.learnt && part.confused_with.length === 0) return part.assumed;
  const { rate, factor, factor_low: low, factor_high: high } = part;
  if (rate === null) {
    return `${number(factor, 2)} times as long as assumed (${number(low, 2)} to ${number(high, 2)})`;
  }
  return rateInWords(rate);
}

function rateInWords({ share, share_low: low, share_high: high, ...rate }: LearntRate): string {
  if (share === null || low === null || high === null) {
    const ends = `${number(rate.low, 2)} to ${number(rate.high, 2)}`;
    return `${number(rate.value, 2)} ${rate.unit} (${ends})`;
  }
  const ends = `${Math.round(100 * low)} to ${Math.round(100 * high)}`;
  return unbroken(
    `${percent(share, 0)} (${ends}) of ${number(rate.peak, 4)} ${rate.unit}${
      rate.beyond_peak ? ", doubtful: launches imply more than that" : ""
    }`,
  );
}

/** How sure a part is: "learnt", "as assumed", "learnt with … only". */
export function sourceInWords({ learnt, confused_with: others }: PerformancePart): string {
  if (others.length > 0) return `only its sum with ${others.join(" and ")} is known`;
  return learnt ? "learnt from launches" : "assumed";
}

/** "MoE expert parallel 4 → 8, data parallel 4 → 8". */
export function changeInWords({ changes, now }: ExpectedChange): string {
  return Object.entries(changes)
    .map(([path, value]) => `${fieldName(path)} ${written(now[path])} → ${written(value)}`)
    .join(", ");
}

const written = (value: unknown): string => (value === undefined ? setting(null) : setting(value));

/** A change of a figure as a share, and its 80 % interval: "+33 %" and "+2 % to +73 %". */
export function gainInWords({ before, after, low, high }: FigureChange): {
  gain: string;
  interval: string;
} {
  const share = (value: number) => change(before > 0 ? rounded(value / before - 1) : null);
  return { gain: share(after), interval: `${share(low)} to ${share(high)}` };
}

const rounded = (share: number): number => Math.round(100 * share) / 100;

/** Further things to know of a change. */
export function remarksOn(one: ExpectedChange): string[] {
  return [
    ...(one.gpus === one.gpus_now
      ? []
      : [`${counted(one.gpus, "GPU")} instead of ${one.gpus_now}`]),
    ...(one.clear || one.gpus < one.gpus_now ? [] : ["not a clear gain"]),
    ...(one.parts.length > 0 ? [`less time for ${one.parts.join(", ")}`] : []),
    ...(one.measured_tok_s !== null
      ? [`measured there: ${number(one.measured_tok_s)} tok/s`]
      : one.in_task
        ? ["a candidate of this task, not measured at this load"]
        : []),
    ...(Object.keys(one.changes).some((path) => path.startsWith("quantization."))
      ? ["check the answers: a narrower format rounds more"]
      : []),
    ...(one.note ? [one.note] : []),
  ];
}

/** From how many launches the rates are learnt. */
export function launchesInWords({ launches, earlier_launches: earlier }: Performance): string {
  if (launches === 0) return "Nothing is learnt yet: every part is as assumed.";
  const own = launches - earlier;
  const others =
    earlier > 0 ? ` and ${counted(earlier, "launch", "launches")} of earlier tasks` : "";
  return `From ${counted(own, "launch", "launches")} of this task${others}; intervals are of 80${"\u00a0"}%.`;
}
