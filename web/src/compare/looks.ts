/** How series are distinguished from each other: by colour, form and stroke. */

import type { Shape } from "~/charts/pen";

/** What a series is drawn as: predictions dotted and hollow, what cannot be compared dashed and hollow. */
export type Stroke = "solid" | "dashed" | "dotted";

export interface Look {
  color: string;
  shape: Shape;
  stroke: Stroke;
}

/** Lengths of dashes and gaps in px. */
export const DASHES = { solid: [], dashed: [8, 5], dotted: [2, 4] } as const;

// Distinguished by their lightness too, and by their forms.
const COLORS = {
  light: ["#0b6a8f", "#c05a00", "#6b2fa0", "#2b7a3f", "#a3195b", "#5a6970", "#8a6d00", "#1f2a30"],
  dark: ["#5cc3e6", "#f2a65a", "#c3a0f0", "#6fcf86", "#ff8fc0", "#a3b1b8", "#e3cf5a", "#dfe6ea"],
} as const;
const SHAPES = [
  ...(["circle", "triangle", "square", "diamond"] as const),
  ...(["hanging triangle", "plus", "hourglass", "arrowhead"] as const),
];

/** The stroke of a series that is marked or not: predicted ones are dotted even where they are. */
export const strokeOf = (isMarked: boolean, isPredicted: boolean): Stroke =>
  isPredicted ? "dotted" : isMarked ? "dashed" : "solid";

/** The look at a place among the series; what is predicted of a task has the place of what it measured. */
export function lookAt(place: number, stroke: Stroke, isDark: boolean): Look {
  const colors = COLORS[isDark ? "dark" : "light"];
  return {
    color: colors[place % colors.length] as string,
    shape: SHAPES[place % SHAPES.length] as Shape,
    stroke,
  };
}
