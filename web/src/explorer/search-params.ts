/** What the explorer shows, as it stands in the address: a link shows the same to others. */

export interface ExplorerSearch {
  x?: string;
  y?: string;
}

export function explorerSearch(given: Record<string, unknown>): ExplorerSearch {
  return {
    ...(typeof given.x === "string" ? { x: given.x } : {}),
    ...(typeof given.y === "string" ? { y: given.y } : {}),
  };
}
