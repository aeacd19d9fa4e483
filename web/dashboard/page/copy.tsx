/// <reference lib="dom" />
import { useState } from "preact/hooks";

/** Button that copies a text to the clipboard. `what` names the text, for screen readers. */
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

/** The clipboard API needs localhost or HTTPS; elsewhere the legacy copy command may work. */
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
