/** Numbers, units and times as people read them. The only place where they are written. */

const ABSENT = "–";
/** A space at which no line ends: between a number and its unit. */
const KEPT = "\u00a0";
const DIGITS = 3;

/** A number with three significant digits, thousands apart: 0.0123, 1.23, 123, 12,300. */
export function number(value: number | null | undefined, digits = DIGITS): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  const fraction = Math.max(0, Math.min(6, digits - 1 - size));
  return withFraction(fraction).format(value);
}

const byFraction = new Map<number, Intl.NumberFormat>();

/** A format is slow to make and quick to use: a table writes hundreds of numbers a frame. */
function withFraction(digits: number): Intl.NumberFormat {
  const known = byFraction.get(digits);
  if (known) return known;
  const made = new Intl.NumberFormat("en-US", { maximumFractionDigits: digits });
  byFraction.set(digits, made);
  return made;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? ABSENT : value.toLocaleString("en-US");
}

/** The noun with its number: "1 launch", "12 launches". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return ABSENT;
  const most = Math.abs(share) >= 1 ? 0 : digits;
  return `${(100 * share).toLocaleString("en-US", { maximumFractionDigits: most })}${KEPT}%`;
}

/** A change with its sign: "+12 %", "−3.1 %". */
export function change(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return ABSENT;
  const text = percent(Math.abs(share));
  if (text === percent(0)) return text;
  return share > 0 ? `+${text}` : `−${text}`;
}

/** A number and its unit, which stay on one line. */
export function withUnit(text: string, unit: string): string {
  return `${text}${KEPT}${unit}`;
}

/** Text of the service with its numbers kept beside their units: "69 %" ends no line at its space. */
export function unbroken(text: string): string {
  return text.replace(NUMBER_WITH_UNIT, `$1${KEPT}$2`).replaceAll("± ", `±${KEPT}`);
}

const NUMBER_WITH_UNIT = /(\d) (%|ms|s|min|h|GiB|MiB|tok\/s|requests\/s|in flight)(?![a-z])/g;

/** Milliseconds; from ten seconds on in seconds. */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  return value >= 10_000 ? withUnit(number(value / 1000), "s") : withUnit(number(value), "ms");
}

/** A duration: "8 s", "3 min 10 s", "2 h 5 min", "3 d 4 h". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return ABSENT;
  const whole = Math.round(Math.max(0, seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return withUnit("0", "s");
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => withUnit(`${value}`, unit))
    .join(" ");
}

export function usd(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 0.1 || value === 0 ? 2 : 4;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: Math.min(2, digits), maximumFractionDigits: digits })}`;
}

/** Memory: "23.5 GiB", below one "93.8 MiB". */
export function gibibytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  return Math.abs(value) < 1
    ? withUnit(number(1024 * value), "MiB")
    : withUnit(number(value), "GiB");
}

/** A moment in the reader's own zone: "26 Nov 2026, 09:14". */
export function moment(iso: string | null | undefined): string {
  if (!iso) return ABSENT;
  return new Date(iso).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/**
 * How long ago, by the service's clock: "just now", "5 min ago".
 *
 * @param nowMs the service's time: the reader's clock may be wrong by hours.
 */
export function ago(iso: string | null | undefined, nowMs: number): string {
  if (!iso) return ABSENT;
  const seconds = Math.max(0, (nowMs - Date.parse(iso)) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 3_600) return `${withUnit(`${Math.round(seconds / 60)}`, "min")} ago`;
  if (seconds < 86_400) return `${withUnit(`${Math.round(seconds / 3_600)}`, "h")} ago`;
  return `${counted(Math.round(seconds / 86_400), "day")} ago`;
}

export interface LoadLevel {
  kind: string;
  value: number;
}

/** A load level: "8 in flight", "2.5 requests/s". */
export function load(level: LoadLevel): string {
  if (level.kind === "concurrency") return withUnit(count(level.value), `in${KEPT}flight`);
  return withUnit(number(level.value), "requests/s");
}

/** A device as the service names it: "8 x h100_sxm" -> "8 × h100_sxm". */
export function device(name: string): string {
  return name.replace(/^(\d+) x /, `$1${KEPT}×${KEPT}`);
}

/** The value of a setting as it stands in a task file. */
export function setting(value: unknown): string {
  if (value === null || value === undefined) return "engine's default";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(setting).join(" ");
  return String(value);
}

/** Words of names of fields that are not written as they are spoken. */
const SPELLED: Readonly<Record<string, string>> = {
  cpu: "CPU",
  cuda: "CUDA",
  gemm: "GEMM",
  gpu: "GPU",
  gpus: "GPUs",
  isl: "ISL",
  kvcache: "KV cache",
  lora: "LoRA",
  moe: "MoE",
  osl: "OSL",
  rope: "RoPE",
  tpot: "TPOT",
  ttft: "TTFT",
};

/** `quantization.kvcache_mode` -> "KV cache mode". */
export function fieldName(path: string): string {
  const name = path.split(".").at(-1) ?? path;
  return name
    .split("_")
    .map((word) => SPELLED[word] ?? word)
    .join(" ");
}

/** Time that is expected to be left: "about 2 min left"; without any left although it goes on, that
 * it takes longer. */
export function timeLeft(seconds: number): string {
  return seconds > 0 ? `about ${duration(seconds)} left` : "taking longer than expected";
}
