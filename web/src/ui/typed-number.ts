/** Numbers as they are typed: taken as they stand, or refused with the reason. Pure. */

export interface NumberRule {
  /** Values have to be above it. */
  above?: number;
  least?: number;
  most?: number;
  isWhole?: boolean;
  /** Whether nothing may be left empty. */
  isNeeded?: boolean;
}

export type TypedNumber = { value: number } | { fault: string };

/** Digits with commas between thousands, or without; a comma is no decimal point. */
const NUMBER = /^[-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i;
const LONGEST_QUOTED = 40;

export function typedNumber(typed: string, rule: NumberRule = {}): TypedNumber {
  const text = typed.trim();
  if (!NUMBER.test(text)) return { fault: `${quoted(text)} is not a number` };
  const value = Number(text.replace(/[_,]/g, ""));
  if (!Number.isFinite(value)) return { fault: `${quoted(text)} is too large` };
  const fault = faultOf(value, rule);
  return fault === null ? { value } : { fault };
}

/** A field's text: null where it is empty and may be. */
export function typedOrEmpty(
  typed: string,
  rule: NumberRule,
): { value: number | null } | TypedNumber {
  if (typed.trim() !== "") return typedNumber(typed, rule);
  return rule.isNeeded ? { fault: "required" } : { value: null };
}

/** A number within a sentence. */
function shownNumber(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 12 });
}

export function quoted(text: string): string {
  return `'${text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED)}…` : text}'`;
}

function faultOf(value: number, { above, least, most, isWhole }: NumberRule): string | null {
  if (above !== undefined && value <= above) return `must be above ${shownNumber(above)}`;
  if (least !== undefined && value < least) return `must be at least ${shownNumber(least)}`;
  if (most !== undefined && value > most) return `must be at most ${shownNumber(most)}`;
  if (isWhole && !Number.isInteger(value)) return "must be a whole number";
  return null;
}
