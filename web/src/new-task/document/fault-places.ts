/** Where in the text a fault of a field lies. Pure. */

import { isCollection, isMap, isNode, isScalar, type Pair } from "yaml";
import type { GroupSpec } from "./task-schema";
import type { TaskText } from "./task-text";
import type { Path } from "./values";

export interface Place {
  from: number;
  to: number;
}

/** `scheduling.max_running_requests[1]` -> its parts. */
export function pathOf(dotted: string): Path {
  return dotted
    .split(/\.|\[(\d+)\]/)
    .filter((part) => part !== undefined && part !== "")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Whether a fault belongs to a field: to itself, or to one of its items. */
export function isFaultOf(faultPath: string, field: string): boolean {
  return (
    faultPath === field ||
    (faultPath.startsWith(field) && /^[.[]/.test(faultPath.slice(field.length)))
  );
}

/** The characters of what is at fault; of what holds it where the text does not have it. */
export function placeOf(
  { text, document }: TaskText,
  path: Path,
  groups: readonly GroupSpec[],
): Place {
  let node: unknown = document?.contents;
  let place: Place = { from: 0, to: text.indexOf("\n") < 0 ? text.length : text.indexOf("\n") };
  for (const [depth, key] of path.entries()) {
    if (isMap(node)) {
      const names = namesOf(key, depth, path, groups);
      const pair = (node.items as Pair[]).find(
        (each) => isScalar(each.key) && names.includes(String(each.key.value)),
      );
      if (pair === undefined) return place;
      place = rangeOf(pair.value) ?? rangeOf(pair.key) ?? place;
      // A group is marked by its name: its whole block would be red.
      if (isCollection(pair.value) && !pair.value.flow) place = rangeOf(pair.key) ?? place;
      node = pair.value;
    } else if (isCollection(node)) {
      node = node.items[Number(key)];
      place = rangeOf(node) ?? place;
    }
  }
  return place;
}

function namesOf(
  key: string | number,
  depth: number,
  path: Path,
  groups: readonly GroupSpec[],
): string[] {
  const owner = groups.find((group) => group.name === path[depth - 1]);
  const aliases = Object.entries(owner?.aliases ?? {}).filter(([, field]) => field === key);
  return [String(key), ...aliases.map(([alias]) => alias)];
}

function rangeOf(node: unknown): Place | null {
  const range = isNode(node) ? node.range : null;
  return range && range[1] > range[0] ? { from: range[0], to: range[1] } : null;
}
