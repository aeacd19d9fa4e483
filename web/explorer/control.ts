import { AskedControl } from "../../browser/ask_control.ts";
import type { Circuit } from "../../circuits/circuit.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { CallError, RetortError } from "../../foundation/errors.ts";
import { openHmmControl } from "../../stages/control/shared.ts";

/** Opens a circuit for questions under constraints. @throws {RetortError} when it is no homogeneous HMM over this vocabulary */
export async function openAskedControl(circuit: Circuit, vocabulary: Vocabulary): Promise<AskedControl> {
  // One core: the others are for the runs.
  return new AskedControl(await openHmmControl(circuit, vocabulary, {}, () => {}, { engine: "plain" }));
}

/** What does not fit a model or a constraint is a bad request here, not a failed run. */
export async function askedHere<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RetortError) || error instanceof CallError) throw error;
    throw new CallError(error.code, error.message, { hint: error.hint, cause: error });
  }
}
