/** The operator's limits in words. */

import type { Limits } from "~/api/system";
import { count, duration, gibibytes, number } from "~/ui/format";

const GIB = 2 ** 30;
const SECONDS_OF_DAY = 86_400;
const SOURCES: Record<Limits["allowed_models"], string> = {
  any: "of the catalog, of a hub, and in the operator's folders",
  catalog: "of the catalog, and in the operator's folders",
  local: "in the operator's folders, and of installed packages",
};

export function policyFacts(limits: Limits): { title: string; text: string }[] {
  const { policy } = limits;
  return [
    { title: "Token", text: limits.requires_token ? "asked of everybody" : "asked of nobody" },
    { title: "Engines", text: listed(limits.allowed_engines) },
    { title: "Launchers", text: listed(limits.allowed_launchers) },
    { title: "Load generators", text: listed(limits.allowed_load_generators) },
    { title: "Models", text: SOURCES[limits.allowed_models] },
    { title: "GPUs of a task", text: most(limits.max_gpus) },
    { title: "Launches of a task", text: most(limits.max_experiments) },
    {
      title: "Time of a task",
      text: limits.max_minutes === null ? ANY : `at most ${duration(60 * limits.max_minutes)}`,
    },
    {
      title: "Load",
      text: `at most ${count(limits.max_concurrency)} in flight, ${number(limits.max_rate)} requests/s`,
    },
    { title: "Code of models", text: policy.trust_remote_code ? "may run" : "does not run" },
    { title: "Variables that engines see", text: listed(policy.environment ?? []) },
    {
      title: "Requests",
      text:
        limits.requests_per_s === 0
          ? ANY
          : `${number(limits.requests_per_s)}/s of one token or address, ${count(limits.request_burst)} at once`,
    },
    {
      title: "Size of a request",
      text: `${gibibytes(limits.max_body_bytes / GIB)}, of an upload ${gibibytes(limits.max_upload_bytes / GIB)}`,
    },
    {
      title: "Events",
      text:
        limits.keep_events_days === 0
          ? "kept for ever"
          : `kept for ${duration(SECONDS_OF_DAY * limits.keep_events_days)}`,
    },
  ];
}

const ANY = "no limit";
const most = (value: number | null) => (value === null ? ANY : `at most ${count(value)}`);
const listed = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "));
