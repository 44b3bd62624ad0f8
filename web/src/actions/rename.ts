/** Name and description of a task, changed by one while somebody else may change them too. */

export interface TaskTexts {
  name: string;
  description: string;
}

export const textsOf = ({ name, description }: TaskTexts): TaskTexts => ({ name, description });

/** The texts that differ from those that were read. */
export function changesOf(read: TaskTexts, typed: TaskTexts): Partial<TaskTexts> {
  return {
    ...(typed.name !== read.name ? { name: typed.name } : {}),
    ...(typed.description !== read.description ? { description: typed.description } : {}),
  };
}

/** Whether somebody else changed what is about to be changed, to something else. */
export function collides(read: TaskTexts, theirs: TaskTexts, typed: TaskTexts): boolean {
  return (["name", "description"] as const).some(
    (text) =>
      typed[text] !== read[text] && theirs[text] !== read[text] && theirs[text] !== typed[text],
  );
}
