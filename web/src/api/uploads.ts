/** Files as the service takes them. */

/** Serialiser of a body that is these files, each in a part named `file`. */
export function formOf(...files: readonly File[]): () => FormData {
  return () => {
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name);
    return form;
  };
}
