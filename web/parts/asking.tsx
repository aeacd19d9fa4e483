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

/** A field for a line that is typed; its label is that `for` its id. */
export function LineField(
  { id, field, value, most = 2000, saidId, onInput }: {
    id: string;
    field?: Ref<HTMLInputElement>;
    value: string;
    /** The greatest number of characters. */
    most?: number;
    /** The element that says more of it. */
    saidId?: string;
    onInput: (value: string) => void;
  },
) {
  return (
    <input
      id={id}
      {...field && { ref: field }}
      type="text"
      value={value}
      maxLength={most}
      autoComplete="off"
      spellcheck={false}
      aria-describedby={saidId}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

/** A list to choose one of, behind its label: values, and what they are called. */
export function Choice<T extends string | number>(
  { label, id, value, options, onChoose }: {
    label: string;
    id?: string;
    value: T;
    options: readonly (readonly [value: T, text: string])[];
    onChoose: (value: T) => void;
  },
) {
  return (
    <label>
      {label}{" "}
      <select
        id={id}
        value={String(value)}
        onChange={({ currentTarget }) => onChoose(options[currentTarget.selectedIndex]![0])}
      >
        {options.map(([one, text]) => <option key={one} value={String(one)}>{text}</option>)}
      </select>
    </label>
  );
}
