/** What has happened in a task until now; what happens from then on comes through `live`. */

import type { TaskEvent } from "./event-stream";
import { textOf } from "./reading";

export async function pastEvents(taskId: number): Promise<TaskEvent[]> {
  return parseEvents(await textOf(`/api/v2/tasks/${taskId}/events?follow=false&form=message`));
}

/** Events of a stream that has ended; its last message has no number. */
export function parseEvents(text: string): TaskEvent[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => JSON.parse(line.slice("data:".length)) as TaskEvent)
    .filter((event) => typeof event.id === "number");
}
