// @ts-check
/// <reference lib="dom" />
// The report's own script: shows and hides curves, changes the theme, copies commands. Without it all is there to be read.
const root = document.documentElement;

for (const figure of document.querySelectorAll("figure.chart")) {
  for (const button of figure.querySelectorAll("button.variant")) {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      const label = button.getAttribute("data-label");
      for (const group of figure.querySelectorAll("g[data-label]")) {
        if (group.getAttribute("data-label") !== label) continue;
        if (shown) group.removeAttribute("display");
        else group.setAttribute("display", "none");
      }
    });
  }
  const scale = figure.querySelector(".scale input");
  const plots = figure.querySelectorAll(".plot");
  if (scale instanceof HTMLInputElement) {
    scale.addEventListener(
      "change",
      () => plots.forEach((plot, i) => plot.toggleAttribute("hidden", (i === 1) !== scale.checked)),
    );
  }
}

document.getElementById("theme")?.addEventListener("change", (event) => {
  const { value } = /** @type {HTMLSelectElement} */ (event.target);
  if (value === "") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", value);
});

for (const pre of document.querySelectorAll("pre.command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent ?? "");
      button.textContent = "Copied";
    } catch {
      // Files opened from disk may not have clipboard access; then the text is selected instead.
      getSelection()?.selectAllChildren(pre);
      button.textContent = "Marked: copy it with the keyboard";
    }
  });
  pre.after(button);
}

// Unfolds the target of a link.
function layOpen() {
  let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const target = at;
  for (; at !== null; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", layOpen);
if (location.hash !== "") layOpen();
