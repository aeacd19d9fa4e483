/// <reference lib="dom" />
import { useState } from "preact/hooks";

/** Puts a text on the clipboard. `what` it is, for those who do not see where the button stands. */
export function Copy({ text, what }: { text: () => string; what: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    setSaid(await copied(text()) ? "copied" : "not copied: the browser forbids it");
    setTimeout(() => setSaid(undefined), 2000);
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`Copy ${what}`}>
      <span role="status">{said ?? "copy"}</span>
    </button>
  );
}

/** Browsers have a clipboard on this machine's pages and on those by HTTPS; elsewhere the old command may do. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
