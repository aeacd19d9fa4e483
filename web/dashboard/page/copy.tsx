/// <reference lib="dom" />
import { useState } from "preact/hooks";

/** Button that copies a text to the clipboard. `what` names the text; it is read out alone where it is beside the button. */
export function Copy({ text, what, beside = false }: { text: () => string; what: string; beside?: boolean }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    setSaid(await copied(text()) ? "copied" : "not copied: the browser forbids it");
    setTimeout(() => setSaid(undefined), 2000);
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`Copy ${what}`}>
      <span role="status">{said ?? (beside ? "copy" : `copy ${what}`)}</span>
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
