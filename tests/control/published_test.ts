import assert from "node:assert/strict";
import { inOrder, openControl, tokenHmm } from "../../control/mod.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";

interface Published {
  readonly words: string[];
  readonly initial: number[];
  readonly transition: number[];
  readonly emission: number[];
  readonly cases: readonly {
    readonly parts: string[];
    readonly tokens: [number, number];
    readonly suffix: number[];
    readonly text: number[];
    readonly logRatios: (number | null)[][];
  }[];
}

const published = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/control/published.json", import.meta.url)),
) as Published;

Deno.test("probabilities of next tokens are those of the published algorithm, which is another program", async () => {
  const vocabulary: Vocabulary = { kind: "characters", words: published.words, unknown: 0, end: 1 };
  const numbers = ["initial", "transition", "emission"].map((name) =>
    Float32Array.from(published[name as "initial"])
  );
  const [initial, transition, emission] = numbers as [Float32Array, Float32Array, Float32Array];
  await using control = await openControl(tokenHmm({ initial, transition, emission }), vocabulary);
  let compared = 0;
  for (const { parts, tokens, suffix, text, logRatios } of published.cases) {
    const plan = await control.plan(inOrder(...parts), { tokens, suffix: suffix.slice(0, -1) });
    const continuation = plan.begin();
    for (const [n, truth] of logRatios.entries()) {
      const logits = new Float64Array(published.words.length);
      continuation.adjust(logits);
      truth.forEach((log, token) => {
        const what = `${parts.join()} after ${text.slice(0, n).join()}: ${published.words[token]}`;
        if (log === null) return assert.equal(logits[token], -Infinity, what);
        compared++;
        assert.ok(
          Math.abs(Math.exp(logits[token]!) - Math.exp(log)) < 1e-5,
          `${what}: ${logits[token]} ${log}`,
        );
        assert.ok(Math.abs(logits[token]! - log) < 1e-4, `${what}: ${logits[token]} ${log}`);
      });
      if (n < text.length) continuation.add(text[n]!);
    }
  }
  assert.ok(compared > 60, `${compared}`);
});
