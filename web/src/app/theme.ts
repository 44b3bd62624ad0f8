import { Badge, Button, Chip, createTheme, type MantineColorsTuple } from "@mantine/core";

const lake: MantineColorsTuple = [
  "#e8f6fa",
  "#d3e9f0",
  "#a6d3e1",
  "#77bbd1",
  "#51a8c4",
  "#399bbc",
  "#2a95b8",
  "#1a81a2",
  "#0b7392",
  "#00637f",
];
/** Greys of the dark scheme with the tint of its surfaces: text, borders, fields, the page. */
const dark: MantineColorsTuple = [
  "#d7dfe3",
  "#b5c0c6",
  "#93a1a8",
  "#74838b",
  "#3a474e",
  "#2c373d",
  "#222b30",
  "#1b2226",
  "#151c1f",
  "#12181b",
];

/** Mantine would write what is wrong with a small field in 10 px. */
const SMALL_TEXT = { fontSize: "var(--mantine-font-size-xs)" };

export const theme = createTheme({
  primaryColor: "lake",
  primaryShade: { light: 8, dark: 5 },
  colors: { lake, dark },
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily:
    'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650" },
  // The defaults are drawn for forms; data needs less air.
  spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.5rem", xl: "2rem" },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  components: {
    // Titles and badges in their own colour are too pale to read on its lightest shade.
    Alert: { styles: { title: { color: "var(--mantine-color-text)" } } },
    Badge: Badge.extend({
      vars: (_theme, { variant }) => ({
        root: variant === "light" ? { "--badge-color": "var(--mantine-color-text)" } : {},
      }),
    }),
    // White would not be read on the lighter shade of the dark scheme.
    Button: Button.extend({
      vars: (_theme, { variant = "filled" }) => ({
        root: variant === "filled" ? { "--button-color": "var(--on-filled)" } : {},
      }),
    }),
    Chip: Chip.extend({
      vars: (_theme, { variant = "filled" }) => ({
        root: variant === "filled" ? { "--chip-color": "var(--on-filled)" } : {},
      }),
    }),
    InputWrapper: { styles: { error: SMALL_TEXT, description: SMALL_TEXT } },
    Modal: { styles: { title: { fontWeight: 650 } } },
    Notification: { styles: { root: { border: "1px solid var(--line)" } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250 } },
    Table: { defaultProps: { verticalSpacing: 6, highlightOnHover: true } },
    Anchor: { defaultProps: { underline: "hover" } },
    Checkbox: { defaultProps: { radius: "sm" } },
  },
});
