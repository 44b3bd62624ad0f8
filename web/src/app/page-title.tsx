import { useMatches } from "@tanstack/react-router";
import { useEffect } from "react";
import { useCurrentTask } from "./current-task";

const PRODUCT = "Inference Autotuner";

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** What the page is, for the title of the document. */
    title?: string;
  }
}

/** Names the document after the page: "Explorer · chat on H100 · Inference Autotuner". */
export function PageTitle() {
  const title = useMatches().at(-1)?.staticData.title;
  const { id, task } = useCurrentTask();
  const name = task?.name ?? (id === null ? undefined : `Task ${id}`);
  const text = [title, name, PRODUCT].filter(Boolean).join(" · ");
  useEffect(() => {
    document.title = text;
  }, [text]);
  return null;
}
