/// <reference lib="dom" />
// The site's script: theme, search, copying of code, and the list of pages on a phone. Without it all is there to be read.
import { connectSearch } from "./search.ts";

const root = document.documentElement;
const theme = document.querySelector<HTMLSelectElement>("#theme")!;
theme.value = root.dataset.theme ?? "";
theme.addEventListener("change", () => {
  if (theme.value === "") delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  try {
    localStorage.setItem("retort-theme", theme.value);
  } catch {
    // Pages from a disk may have no storage; then the choice holds for this page.
  }
});

// On a wide window all pages stand beside the text, on a narrow one they are folded above it.
const wide = matchMedia("(min-width: 60rem)");
const list = document.querySelector<HTMLDetailsElement>("details.pages")!;
const fold = () => list.open = wide.matches;
fold();
wide.addEventListener("change", fold);

for (const block of document.querySelectorAll<HTMLElement>("pre.sh, pre.ts")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const code = block.textContent ?? "";
    try {
      await navigator.clipboard.writeText(code);
      button.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(block);
      button.textContent = "Marked";
    }
    setTimeout(() => button.textContent = "Copy", 2000);
  });
  const frame = document.createElement("div");
  frame.className = "copied";
  block.replaceWith(frame);
  frame.append(block, button);
}

connectSearch(document.querySelector<HTMLInputElement>("#query")!);
