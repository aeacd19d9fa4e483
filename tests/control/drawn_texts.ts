import type { RandomStream } from "../../circuits/random.ts";
import type { Automaton } from "../../control/mod.ts";

/** For each state, whether an accepting one can be reached from it. */
function liveStates({ states, width, next, accepting }: Automaton): Uint8Array {
  const isLive = Uint8Array.from(accepting);
  for (let changed = true; changed;) {
    changed = false;
    for (let state = 0; state < states; state++) {
      if (isLive[state] === 1) continue;
      for (let c = 0; c < width; c++) {
        if (isLive[next[state * width + c]!] === 1) isLive[state] = 1;
      }
      if (isLive[state] === 1) changed = true;
    }
  }
  return isLive;
}

/** Texts that an automaton accepts: each byte one of those after which it still can, an end as likely as going on. */
export function* drawnTexts(automaton: Automaton, count: number, random: RandomStream): Generator<string> {
  const { width, classes, next, accepting } = automaton;
  const isLive = liveStates(automaton);
  for (let n = 0; n < count; n++) {
    const bytes: number[] = [];
    for (let state = 0;;) {
      const after = Array.from({ length: width }, (_, c) => c)
        .filter((c) => isLive[next[state * width + c]!] === 1);
      if (accepting[state] === 1 && (after.length === 0 || random.uniform() < 0.1)) break;
      const c = after[random.integer(after.length)]!;
      const own = [...classes.keys()].filter((byte) => classes[byte] === c);
      bytes.push(own[random.integer(own.length)]!);
      state = next[state * width + c]!;
    }
    yield new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  }
}
