import { unbroken } from "./format";

/** A reason of the service, which begins small and has no full stop, as a sentence. */
export function asSentence(text: string): string {
  if (text === "") return "";
  const first = unbroken(text.charAt(0).toUpperCase() + text.slice(1));
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
