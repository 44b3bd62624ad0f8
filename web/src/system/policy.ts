/** The operator's limits in words. */

import type { Limits } from "~/api/system";
import { count, duration, gibibytes, number } from "~/ui/format";

const GIB = 2 ** 30;
const SECONDS_OF_DAY = 86_400;
const SOURCES: Record<Limits["allowed_models"], string> = {
  any: "from the catalog, a hub, and the operator's folders",
  catalog: "from the catalog and the operator's folders",
  local: "from the operator's folders and installed packages",
};

export function policyFacts(limits: Limits): { title: string; text: string }[] {
  const { policy } = limits;
  return [
    { title: "Token", text: limits.requires_token ? "required from everyone" : "not required" },
    { title: "Engines", text: listed(limits.allowed_engines) },
    { title: "Launchers", text: listed(limits.allowed_launchers) },
    { title: "Load generators", text: listed(limits.allowed_load_generators) },
    { title: "Models", text: SOURCES[limits.allowed_models] },
    { title: "GPUs per task", text: most(limits.max_gpus) },
    { title: "Launches per task", text: most(limits.max_experiments) },
    {
      title: "Time per task",
      text: limits.max_minutes === null ? ANY : `at most ${duration(60 * limits.max_minutes)}`,
    },
    {
      title: "Load",
      text: `at most ${count(limits.max_concurrency)} in flight, ${number(limits.max_rate)} requests/s`,
    },
    { title: "Code in models", text: policy.trust_remote_code ? "may run" : "may not run" },
    { title: "Variables passed to engines", text: listed(policy.environment ?? []) },
    {
      title: "Requests",
      text:
        limits.requests_per_s === 0
          ? ANY
          : `${number(limits.requests_per_s)}/s per token or address, ${count(limits.request_burst)} at once`,
    },
    {
      title: "Request size",
      text: `${gibibytes(limits.max_body_bytes / GIB)}, for uploads ${gibibytes(limits.max_upload_bytes / GIB)}`,
    },
    {
      title: "Events",
      text:
        limits.keep_events_days === 0
          ? "kept forever"
          : `kept for ${duration(SECONDS_OF_DAY * limits.keep_events_days)}`,
    },
  ];
}

const ANY = "no limit";
const most = (value: number | null) => (value === null ? ANY : `at most ${count(value)}`);
const listed = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "));
