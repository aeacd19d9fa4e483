/// <reference lib="dom" />
// Runs before the page is drawn: the theme that was chosen on another page of the site.
try {
  const theme = localStorage.getItem("retort-theme");
  if (theme !== null && theme !== "") document.documentElement.dataset.theme = theme;
} catch {
  // Pages from a disk may have no storage; then the system's theme is shown.
}
