import { useEffect, useState } from "react";
import { serviceNowMs } from "~/api/service-clock";

/** The service's time in ms, anew every so often, for texts such as "5 min ago". */
export function useServiceNow(everyMs = 15_000): number {
  const [nowMs, setNowMs] = useState(serviceNowMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(serviceNowMs()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
