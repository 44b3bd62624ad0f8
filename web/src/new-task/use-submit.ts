/** Makes the draft a task, or brings it into the task that it changes. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { act, changeTask, createTask, type Task, type TaskDocument } from "~/api/tasks";
import type { JsonObject } from "./document/values";

interface SubmitTarget {
  /** Task that is changed; null for a new one. */
  editedId: number | null;
  etag: string | null;
  /** Called with the tag of what was saved: to start it may still be refused. */
  onSaved: (etag: string | null) => void;
  onDone: () => void;
}

export interface Submission {
  content: JsonObject;
  start: boolean;
  /** Whether a new task is made, although the draft was to change one. */
  isNew?: boolean;
  /** In place of the tag that was read: for what is saved over a change of somebody else. */
  etag?: string | null;
}

export function useSubmit({ editedId, etag, onSaved, onDone }: SubmitTarget) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const keyFor = useIdempotencyKeys();
  return useMutation({
    mutationFn: async (given: Submission): Promise<Task> => {
      const document = given.content as unknown as TaskDocument;
      if (editedId === null || given.isNew) {
        return createTask(document, given.start, keyFor(given));
      }
      const changed = await changeTask(editedId, { config: document }, given.etag ?? etag);
      onSaved(changed.etag);
      return given.start ? act(editedId, "start") : changed.task;
    },
    onSuccess: (task) => {
      onDone();
      void queries.invalidateQueries({ queryKey: ["tasks"] });
      void queries.invalidateQueries({ queryKey: ["task", task.id] });
      void navigate({ to: "/tasks/$taskId", params: { taskId: task.id } });
    },
  });
}

/** The same key for the same request: an answer that was lost makes no second task. */
function useIdempotencyKeys(): (submission: Submission) => string {
  const keys = useRef(new Map<string, string>());
  return ({ content, start }) => {
    const request = JSON.stringify([content, start]);
    const key = keys.current.get(request) ?? randomKey();
    keys.current.set(request, key);
    return key;
  };
}

/** crypto.randomUUID is missing where a service is reached by plain HTTP. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
