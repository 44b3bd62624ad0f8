import { startTransition, useEffect, useState } from "react";

/** Calls when the next frame is on the screen; the returned function takes it back. */
export function afterPaint(call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(call);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

const LONGEST_MS = 200;

/** Calls when the next frame is on the screen and the page has nothing else to do, or soon after. */
export function whenIdle(call: () => void): () => void {
  let takeBack = afterPaint(() => {
    // Not every browser knows it.
    if (typeof requestIdleCallback === "undefined") {
      call();
      return;
    }
    const asked = requestIdleCallback(call, { timeout: LONGEST_MS });
    takeBack = () => cancelIdleCallback(asked);
  });
  return () => takeBack();
}

/** A value that follows when there is time for what it costs to show it. */
export function useWhenIdle<T>(value: T): T {
  const [shown, setShown] = useState(value);
  useEffect(() => {
    if (shown === value) return;
    return whenIdle(() => startTransition(() => setShown(() => value)));
  }, [shown, value]);
  return shown;
}
