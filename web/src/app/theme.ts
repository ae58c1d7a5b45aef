import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Loopwright's own green: what one can act on. */
const pine: MantineColorsTuple = [
  "#eef7f5",
  "#d9ebe7",
  "#b3d6cf",
  "#88bfb5",
  "#5ea99d",
  "#3c9488",
  "#1b7c72",
  "#12655d",
  "#0f4f4a",
  "#0a3633",
];

const gray: MantineColorsTuple = [
  "#f8f9f8",
  "#f1f3f2",
  "#e5e8e7",
  "#d5dad8",
  // Borders of fields and boxes: 3 to 1 on their ground.
  "#87918d",
  "#98a19d",
  "#76807c",
  "#59635f",
  "#3c4541",
  "#232a27",
];

const dark: MantineColorsTuple = [
  "#d6dcda",
  "#b4bdba",
  "#8d9895",
  "#667170",
  "#6b7674",
  "#2c3537",
  "#22292c",
  "#171d20",
  "#101518",
  "#0a0e10",
];

const small = { size: "sm" } as const;

export const theme = createTheme({
  primaryColor: "pine",
  primaryShade: { light: 7, dark: 6 },
  colors: { pine, gray, dark },
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono", ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  defaultRadius: "sm",
  focusRing: "auto",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  // By name and not by import: a theme must not pull every component into the first load.
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Badge: {
      defaultProps: { variant: "light", radius: "sm" },
      styles: { label: { textTransform: "none", fontWeight: 560 } },
    },
    Button: { defaultProps: small },
    Card: { defaultProps: { padding: "md", radius: "md", withBorder: true } },
    Modal: {
      defaultProps: { radius: "md", centered: false, transitionProps: { duration: 120 } },
      styles: { title: { fontWeight: 620, fontSize: "1rem" } },
    },
    NumberInput: { defaultProps: small },
    Paper: { defaultProps: { radius: "md", withBorder: true } },
    PasswordInput: { defaultProps: small },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Select: { defaultProps: small },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: "sm" } },
    Textarea: { defaultProps: small },
    TextInput: { defaultProps: small },
    Tooltip: { defaultProps: { openDelay: 250, multiline: true, maw: 360 } },
  },
});
