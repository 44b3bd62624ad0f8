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

/** A value as it was until the frame that shows the new one elsewhere is on the screen. */
export function useAfterPaint<T>(value: T): T {
  const [shown, setShown] = useState(value);
  useEffect(() => {
    if (shown === value) return;
    return afterPaint(() => startTransition(() => setShown(() => value)));
  }, [shown, value]);
  return shown;
}
