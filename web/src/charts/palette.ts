/** Colours of charts: a canvas cannot read those of the style sheet. */

import { useComputedColorScheme } from "@mantine/core";

export interface Palette {
  text: string;
  quiet: string;
  line: string;
  surface: string;
  measured: string;
  predicted: string;
  outside: string;
  limit: string;
  ring: string;
  /** From the first launch to the last: lightness grows with it, so that no hue has to be told. */
  order: readonly string[];
}

// Blue and orange are told apart by every common kind of colour blindness; marks differ in shape too.
export const LIGHT: Palette = {
  text: "#1f2a30",
  quiet: "#5a6970",
  line: "#e3e8ea",
  surface: "#ffffff",
  measured: "#0b6a8f",
  predicted: "#c05a00",
  outside: "#a7b0b5",
  limit: "#b4232a",
  ring: "#1f2a30",
  order: ["#d8b400", "#9fba2d", "#55b06a", "#1f988b", "#2a7191", "#3b4a88", "#3a1a5c"],
};

const DARK: Palette = {
  text: "#dfe6ea",
  quiet: "#a3b1b8",
  line: "#2b363c",
  surface: "#1b2226",
  measured: "#5cc3e6",
  predicted: "#f2a65a",
  outside: "#5b676e",
  limit: "#ff8a8a",
  ring: "#ffffff",
  order: ["#6d5aa8", "#5277b5", "#3e95b3", "#3db39c", "#6fcb78", "#b5dc4f", "#f4e74a"],
};

export function usePalette(): Palette {
  return useComputedColorScheme("light") === "dark" ? DARK : LIGHT;
}
