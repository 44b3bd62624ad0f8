/** Values of a document, and copies of it with one of them changed. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type Path = readonly (string | number)[];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => same(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}

/** The value at a path; undefined where none is given. */
export function valueAt(content: Json | undefined, path: Path): Json | undefined {
  let value: Json | undefined = content;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value) && Object.hasOwn(value, String(key))) value = value[String(key)];
    else return undefined;
  }
  return value;
}

/** A copy with a value set at a path. */
export function assigned(content: JsonObject, path: Path, value: Json): JsonObject {
  const [key, ...rest] = path;
  return set(content, key, rest, value) as JsonObject;
}

function set(
  content: Json | undefined,
  key: string | number | undefined,
  rest: Path,
  value: Json,
): Json {
  if (key === undefined) return value;
  const [next, ...further] = rest;
  if (Array.isArray(content)) {
    const copy = [...content];
    copy[Number(key)] = set(copy[Number(key)], next, further, value);
    return copy;
  }
  const own = isObject(content) ? content : {};
  return { ...own, [String(key)]: set(own[String(key)], next, further, value) };
}

/** A copy without the value at a path, and without mappings that are empty then. */
export function removed(content: JsonObject, path: Path): JsonObject {
  const [key, ...rest] = path;
  const { [String(key)]: inner, ...others } = content;
  if (rest.length === 0) return others;
  if (Array.isArray(inner)) {
    const index = Number(rest[0]);
    const item = inner[index];
    const left =
      rest.length > 1 && isObject(item)
        ? inner.map((each, at) => (at === index ? removed(item, rest.slice(1)) : each))
        : inner.filter((_, at) => at !== index);
    return { ...content, [String(key)]: left };
  }
  if (!isObject(inner)) return content;
  const left = removed(inner, rest);
  return Object.keys(left).length > 0 ? { ...content, [String(key)]: left } : others;
}
