import { useEffect, useState, useSyncExternalStore } from "react";
import { followLog, type LogState } from "~/api/logs";
import { LogBuffer } from "./log-buffer";

/**
 * The log at a path as it grows, while the page can be seen.
 *
 * A browser keeps few connections to one service: a page that nobody looks at gives its own back.
 */
export function useEngineLog(path: string) {
  const [buffer] = useState(() => new LogBuffer());
  const [state, setState] = useState<LogState>("connecting");
  const [problem, setProblem] = useState<unknown>(null);
  const isVisible = usePageVisible();
  const snapshot = useSyncExternalStore(buffer.subscribe, buffer.snapshot);

  useEffect(() => {
    if (!isVisible) return;
    buffer.clear();
    setProblem(null);
    return followLog(path, {
      onLine: (line) => buffer.append(line),
      onExperiment: (index) => buffer.append(`── experiment ${index} ──`),
      onRestart: () => buffer.clear(),
      onState: setState,
      onProblem: setProblem,
    });
  }, [path, isVisible, buffer]);

  return { ...snapshot, state, problem };
}

function usePageVisible(): boolean {
  return useSyncExternalStore(
    (listener) => {
      document.addEventListener("visibilitychange", listener);
      return () => document.removeEventListener("visibilitychange", listener);
    },
    () => document.visibilityState === "visible",
  );
}
