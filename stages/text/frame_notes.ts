import { type Circuit, withNotes } from "../../circuits/circuit.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { windowBegins, type WindowFrame } from "../../datasets/text/windows.ts";
import { RetortError } from "../../foundation/errors.ts";

/** Names of the notes of a circuit that hold how texts lie in the windows that it was learned from. */
const BEGINS = "text begins", ENDS = "text ends";

/** How texts lie in windows, as notes of circuits and of samples that they are learned from. */
export function notesOf({ begins, ends }: WindowFrame): Readonly<Record<string, string>> {
  return { [BEGINS]: begins, [ENDS]: String(ends) };
}

/** A circuit over windows that says how texts lie in them. */
export function withFrame(circuit: Circuit, frame: WindowFrame): Circuit {
  return withNotes(circuit, notesOf(frame));
}

/** How texts lie in the windows that a circuit was learned from; undefined if its notes do not say. */
export function frameOf({ notes = {} }: Circuit): WindowFrame | undefined {
  const begins = windowBegins.find((one) => one === notes[BEGINS]);
  return begins && { begins, ends: notes[ENDS] === "true" };
}

/**
 * How a circuit is asked in text: what is said here, else what it says itself. One that says nothing is asked as it
 * stands: a text begins with its first variable, and nothing ends it.
 *
 * @throws RetortError when texts begin or end with an end token and the vocabulary has none.
 */
export function askedFrame(
  circuit: Circuit,
  { end }: Vocabulary,
  said: { readonly begins?: WindowFrame["begins"] | undefined; readonly ends?: boolean | undefined },
  log: (line: string) => void,
): WindowFrame {
  const own = frameOf(circuit);
  if (own === undefined && said.begins === undefined) {
    log(
      "the circuit does not say how texts lie in its windows: they are taken to begin with them (`begins`)",
    );
  }
  const begins = said.begins ?? own?.begins ?? "anywhere";
  const ends = said.ends ?? own?.ends ?? begins === "end";
  if (end === null && (begins === "end" || ends)) {
    throw new RetortError(
      "text/no-end-token",
      `texts ${begins === "end" ? "begin after" : "end with"} an end token, and there is none`,
      {
        hint:
          'Set `begins` to "window" and `ends` to false, or take the vocabulary that the circuit was trained with.',
      },
    );
  }
  return { begins, ends };
}
