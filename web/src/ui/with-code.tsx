/** Text of the service in which names stand between backticks, as in its documents. */
export function WithCode({ text }: { text: string }) {
  const parts = text.split("`");
  // A backtick alone is one that was meant.
  if (parts.length % 2 === 0) return text;
  return parts.map((part, place) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name.
    place % 2 === 1 ? <code key={place}>{part}</code> : part,
  );
}
