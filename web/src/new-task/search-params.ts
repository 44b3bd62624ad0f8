/** How the form of a new task was opened, as it stands in the address. */

export interface NewTaskSearch {
  mode?: "advanced";
  /** Part of the advanced form. */
  tab?: string;
  /** Task that is copied. */
  from?: number;
  /** Task that is changed: only while it is not started. */
  edit?: number;
}

const TAB = /^[a-z]{1,20}$/;

export function newTaskSearch(given: Record<string, unknown>): NewTaskSearch {
  const id = (value: unknown) => {
    const read = Number(value);
    return Number.isInteger(read) && read > 0 ? read : undefined;
  };
  const from = id(given.from);
  const edit = id(given.edit);
  return {
    ...(given.mode === "advanced" ? { mode: "advanced" } : {}),
    ...(TAB.test(String(given.tab ?? "")) ? { tab: String(given.tab) } : {}),
    ...(from ? { from } : {}),
    ...(edit ? { edit } : {}),
  };
}
