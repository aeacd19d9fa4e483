/**
 * Colours of series in light and dark (Okabe and Ito's set for colour-blind readers without its yellow, which no
 * white page shows; darker on light and brighter on dark). Dashes tell apart what comes after the seventh.
 */
export const COLOURS = [
  { light: "#0072b2", dark: "#4ba3e3" },
  { light: "#d55e00", dark: "#ff8a3d" },
  { light: "#00805e", dark: "#2fc79b" },
  { light: "#b0578d", dark: "#e39cc6" },
  { light: "#a86f00", dark: "#f0b93a" },
  { light: "#2b95c9", dark: "#a5dcff" },
  { light: "#444444", dark: "#dddddd" },
] as const;

/** The number of the colour of what only stands beside: references. */
export const REFERENCE = COLOURS.length;

/** All colours by number. */
export const ALL_COLOURS: readonly { readonly light: string; readonly dark: string }[] = [
  ...COLOURS,
  { light: "#7b858e", dark: "#8b96a0" },
];

const DASHES = ["", "6 3", "2 3", "8 3 2 3"] as const;

/** How a series is drawn. */
export interface Style {
  readonly colour: number;
  readonly dash: string;
}

/** A style for each label, in the order in which they come; series of one label are repetitions. */
export function stylesOf(labels: Iterable<string>): Map<string, Style> {
  const styles = new Map<string, Style>();
  for (const label of labels) {
    if (styles.has(label)) continue;
    const i = styles.size;
    const dash = DASHES[Math.floor(i / COLOURS.length) % DASHES.length]!;
    styles.set(label, { colour: i % COLOURS.length, dash });
  }
  return styles;
}

/** Styles of labels that have colours of their own: labels of one colour are told apart by dashes. */
export function stylesOfRoles(
  labels: Iterable<readonly [label: string, colour: number]>,
): Map<string, Style> {
  const styles = new Map<string, Style>();
  const used = new Map<number, number>();
  for (const [label, role] of labels) {
    if (styles.has(label)) continue;
    const colour = role === REFERENCE ? role : role % COLOURS.length;
    const count = used.get(colour) ?? 0;
    used.set(colour, count + 1);
    styles.set(label, { colour, dash: DASHES[count % DASHES.length]! });
  }
  return styles;
}

/** A colour that follows the theme of the page. */
export function colourVariable(style: Style): string {
  return `var(--series-${style.colour})`;
}
