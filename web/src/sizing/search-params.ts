/** Traffic, limits and GPUs, as they stand in the address: a link shows the same to others. */

import type { SizingRequest } from "~/api/sizing";

export interface SizingSearch {
  /** Requests per second; `users` is not there then. */
  rate?: number;
  users?: number;
  /** Seconds from an answer to its user's next request. */
  think?: number;
  /** Percent, as are those of growth. */
  headroom?: number;
  growth?: number;
  months?: number;
  /** USD per GPU and hour. */
  price?: number;
  /** Names, with commas between them. */
  gpus?: string;
  source?: "measured" | "predicted";
  /** `ttft_ms=500,tpot_ms=none`: limits in place of the task's of the same names. */
  slo?: string;
}

/** Latency -> limit in ms; null where the task's own does not count. */
export type Limits = Readonly<Record<string, number | null>>;

const NONE = "none";
const MOST = 1e9;
const LONGEST = 2_000;
const GPUS = /^[\w.-]+(,[\w.-]+)*$/;
const LIMIT = /^((?:ttft|tpot)(?:_p9[09])?_ms|e2e_p9[09]_ms)=([\d.]+|none)$/;

/** What is valid of an address that somebody may have typed. */
export function sizingSearch(given: Record<string, unknown>): SizingSearch {
  const number = (key: string, least: number, most: number) => {
    const value = given[key] === "" ? Number.NaN : Number(given[key]);
    return value >= least && value <= most ? value : undefined;
  };
  const above0 = (key: string) => number(key, Number.MIN_VALUE, MOST);
  const rate = above0("rate");
  const users = rate === undefined ? above0("users") : undefined;
  const growth = number("growth", 0, 999);
  const months = number("months", 1, 120);
  const gpus = String(given.gpus ?? "");
  const slo = limitsIn(String(given.slo ?? ""));
  const found: SizingSearch = {
    rate,
    users,
    think: users === undefined ? undefined : number("think", 0, 1e6),
    headroom: number("headroom", 0, 99),
    growth,
    months: growth !== undefined && Number.isInteger(months) ? months : undefined,
    price: above0("price"),
    gpus: gpus.length <= LONGEST && GPUS.test(gpus) ? gpus : undefined,
    source: (["measured", "predicted"] as const).find((one) => one === given.source),
    slo: textOf(slo) || undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** Limits of an address; what is none is left out. */
export function limitsIn(text: string): Limits {
  const pairs = text.split(",").flatMap((word): [string, number | null][] => {
    const [, name, value] = LIMIT.exec(word) ?? [];
    if (name === undefined) return [];
    if (value === NONE) return [[name, null]];
    return Number(value) > 0 ? [[name, Number(value)]] : [];
  });
  return Object.fromEntries(pairs);
}

export const textOf = (limits: Limits): string =>
  Object.entries(limits)
    .map(([name, limit]) => `${name}=${limit ?? NONE}`)
    .join(",");

/** What the service is asked; null until there is traffic. */
export function requestOf(search: SizingSearch): SizingRequest | null {
  const { rate, users, think, headroom, growth, months, price, gpus, source, slo } = search;
  if (rate === undefined && users === undefined) return null;
  const limits = Object.entries(limitsIn(slo ?? ""));
  const unlimited = limits.filter(([, limit]) => limit === null).map(([name]) => name);
  const asked = {
    rate,
    users,
    think_s: think,
    headroom: headroom === undefined ? undefined : headroom / 100,
    growth_per_month: growth === undefined ? undefined : growth / 100,
    months,
    usd_per_gpu_hour: price,
    gpu: gpus?.split(","),
    source: gpus === undefined ? source : undefined,
    unlimited: unlimited.length > 0 ? unlimited : undefined,
    ...Object.fromEntries(limits.filter(([, limit]) => limit !== null)),
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}
