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
  if (!NUMBER.test(text)) return { fault: `${quoted(text)} is no number` };
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
  return rule.isNeeded ? { fault: "is needed" } : { value: null };
}

/** A number as it stands in a field that nobody types into. */
export function shownNumber(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 12 });
}

export function quoted(text: string): string {
  return `'${text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED)}…` : text}'`;
}

function faultOf(value: number, { above, least, most, isWhole }: NumberRule): string | null {
  if (above !== undefined && value <= above) return `has to be above ${shownNumber(above)}`;
  if (least !== undefined && value < least) return `has to be ${shownNumber(least)} or more`;
  if (most !== undefined && value > most) return `has to be ${shownNumber(most)} or less`;
  if (isWhole && !Number.isInteger(value)) return "has to be a whole number";
  return null;
}
