/// <reference lib="dom" />
import type { ComponentChildren } from "preact";

/** Texts that a model drew, and a button for others; nothing where there are none. */
export function DrawnTexts(
  { name = "", texts, Heading = "h2", again }: {
    /** The model; empty if it is the only one. */
    name?: string;
    texts: readonly ComponentChildren[];
    Heading?: "h2" | "h3";
    again: () => void;
  },
) {
  if (texts.length === 0) return null;
  return (
    <section aria-label={name === "" ? "Drawn" : `Drawn by ${name}`}>
      <Heading>Drawn</Heading>
      <ul class="texts">{texts.map((text, i) => <li key={i} class="prose">{text}</li>)}</ul>
      <DrawOthers again={again} />
    </section>
  );
}

/** The button that draws again. */
export function DrawOthers({ again }: { again: () => void }) {
  return <button type="button" onClick={again}>Draw others</button>;
}

/** A word of an answer, to be put where it was asked for. */
export function WordButton(
  { title, onClick, children }: { title: string; onClick: () => void; children: ComponentChildren },
) {
  return <button type="button" class="word" title={title} onClick={onClick}>{children}</button>;
}

/** A share of the most, as a bar beside the number that says it. */
export function AmountBar({ share }: { share: number }) {
  return <span class="amount" aria-hidden="true" style={{ width: `${(100 * share).toFixed(2)}%` }} />;
}
