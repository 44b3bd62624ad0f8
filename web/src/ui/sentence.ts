import { unbroken } from "./format";

/** A word that begins a sentence; what has a dot, a slash, a colon or the like is a name. */
const PLAIN_WORD = /^[a-z]+(?:[-'][a-z]+)*[,;]?(?=\s|$)/;

/** A reason of the service, which begins small and has no full stop, as a sentence. */
export function asSentence(text: string): string {
  if (text === "") return "";
  const first = unbroken(
    PLAIN_WORD.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text,
  );
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
