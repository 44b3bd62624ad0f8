/** Forms of dots, as paths in a box of 10 by 10: the chart and its legend draw the same. */

export const SYMBOLS = [
  { name: "circle", path: "M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z" },
  { name: "triangle", path: "M5 0L10 10H0Z" },
  { name: "square", path: "M0 0H10V10H0Z" },
  { name: "diamond", path: "M5 0L10 5L5 10L0 5Z" },
  { name: "hanging triangle", path: "M0 0H10L5 10Z" },
  { name: "plus", path: "M3.3 0H6.7V3.3H10V6.7H6.7V10H3.3V6.7H0V3.3H3.3Z" },
  { name: "hourglass", path: "M0 0H10L0 10H10Z" },
  { name: "arrowhead", path: "M10 0V10L0 5Z" },
] as const;
