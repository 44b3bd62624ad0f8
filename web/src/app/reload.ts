import { keep, kept } from "./storage";

const KEY = "autotuner.reloaded-at-ms";
const APART_MS = 10_000;

/**
 * Loads the page anew where a part of it did not arrive, at most every ten seconds: the network
 * changed meanwhile, or the service has a newer UI. To try the part again would leave its styles out.
 */
export function reloadWhenAPartIsMissing(): void {
  window.addEventListener("vite:preloadError", (event) => {
    const isRecent = Math.abs(Date.now() - (kept<number>(KEY) ?? 0)) < APART_MS;
    if (isRecent || !keep(KEY, Date.now())) return;
    event.preventDefault();
    window.location.reload();
  });
}
