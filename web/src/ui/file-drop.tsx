import { type DragEvent, type ReactNode, useState } from "react";
import classes from "./file-drop.module.css";

interface FileDropProps {
  onFiles: (files: readonly File[]) => void;
  /** What chooses files without a mouse, too. */
  children: ReactNode;
}

/** A place where files can be dropped. */
export function FileDrop({ onFiles, children }: FileDropProps) {
  const [isOver, setIsOver] = useState(false);
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    // Without it the browser opens the file in place of the page.
    event.preventDefault();
    setIsOver(true);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is inside chooses files by keys.
    <div
      className={classes.drop}
      data-over={isOver || undefined}
      onDragOver={over}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      {children}
    </div>
  );
}
