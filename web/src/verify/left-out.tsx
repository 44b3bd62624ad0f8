import type { ComparedSide } from "~/api/verify";
import { counted } from "~/ui/format";
import { asSentence } from "~/ui/sentence";
import classes from "./verify.module.css";

/** What of one side takes no part, and what a reader has to know of it. */
export function LeftOut({ title, side }: { title: string; side: ComparedSide }) {
  const lines = [
    ...side.notes.map((why) => ({ source: "", why })),
    ...Object.entries(side.not_used).map(([source, why]) => ({ source, why })),
    ...side.excluded,
    ...side.unmatched,
  ];
  if (lines.length === 0) return null;
  const shown = side.excluded.length + side.unmatched.length;
  return (
    <details>
      <summary className={classes.summary}>
        {title}: {counted(side.points, "point")} of {side.name}, {side.left_out} left out
      </summary>
      <ul className={classes.reasons}>
        {lines.map(({ source, why }) => (
          <li key={`${source} ${why}`} className="text-of-users">
            {source && <strong>{source}: </strong>}
            {asSentence(why)}
          </li>
        ))}
        {shown < side.left_out && <li>And {counted(side.left_out - shown, "more", "more")}.</li>}
      </ul>
    </details>
  );
}
