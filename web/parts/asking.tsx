/// <reference lib="dom" />
import type { ComponentChildren, Ref } from "preact";

/** Examples of what may be asked, a button each. */
export function Tries(
  { examples, onChoose }: { examples: readonly string[]; onChoose: (example: string) => void },
) {
  return (
    <>
      <span class="faint">Try</span>
      {examples.map((example) => (
        <button
          key={example}
          type="button"
          class="example"
          onClick={() => onChoose(example)}
        >
          {example}
        </button>
      ))}
    </>
  );
}

/** A box to be checked, before its label. */
export function Checkbox(
  { checked, onChange, children }: {
    checked: boolean;
    onChange: (checked: boolean) => void;
    children: ComponentChildren;
  },
) {
  return (
    <label>
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />{" "}
      {children}
    </label>
  );
}

/** The field of a sentence with blanks; its label is `for="sentence"`. */
export function SentenceField(
  { field, sentence, most, saidId, onInput }: {
    field: Ref<HTMLInputElement>;
    sentence: string;
    /** The greatest number of characters. */
    most: number;
    /** The element that says more of it. */
    saidId?: string;
    onInput: (sentence: string) => void;
  },
) {
  return (
    <input
      id="sentence"
      ref={field}
      type="text"
      value={sentence}
      maxLength={most}
      autoComplete="off"
      spellcheck={false}
      aria-describedby={saidId}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}
