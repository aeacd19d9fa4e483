/// <reference lib="dom" />

const KEY = "retort-theme";

/** The theme that was chosen in this browser; empty for that of the system. */
export function chosenTheme(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // Some browsers keep nothing; then the choice holds for this page.
  }
}

/** Shows a theme and keeps the choice. */
export function chooseTheme(theme: string): void {
  showTheme(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}

/** Shows a theme. */
export function showTheme(theme: string): void {
  if (theme === "") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
