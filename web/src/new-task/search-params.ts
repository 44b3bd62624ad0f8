/** How the form of a new task was opened, as it stands in the address. */

export interface NewTaskSearch {
  mode?: "advanced";
  /** Task that is copied. */
  from?: number;
  /** Task that is changed: only while it is not started. */
  edit?: number;
}

export function newTaskSearch(given: Record<string, unknown>): NewTaskSearch {
  const id = (value: unknown) => {
    const read = Number(value);
    return Number.isInteger(read) && read > 0 ? read : undefined;
  };
  const from = id(given.from);
  const edit = id(given.edit);
  return {
    ...(given.mode === "advanced" ? { mode: "advanced" } : {}),
    ...(from ? { from } : {}),
    ...(edit ? { edit } : {}),
  };
}
