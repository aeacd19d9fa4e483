/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { LineField } from "../../parts/asking.tsx";
import { DrawnContinuations, NextTokens, saidOfConstraint } from "../../parts/next_tokens.tsx";
import { constraintOfWords } from "./constraint_of_words.ts";
import { TabFailure } from "./failure.tsx";
import type { AskedHow } from "./images.tsx";
import { computedBy, loadingText, useModel, useTabAnswer } from "./models.ts";

/** Most tokens that follow. */
const TOKENS = 16;

/** How a text goes on so that it will hold some words. */
export function GoOn({ worker, offered, engine, begun, onQuestion }: AskedHow) {
  const opening = useModel(worker, offered, engine), { model, error: closed } = opening, { name } = offered;
  const [holds, setWords] = useState(begun.holds);
  const [beginning, setText] = useState(begun.begun);
  const [seed, setSeed] = useState(0);
  // At first common words of the model, after the beginning of its example.
  const words = holds ?? model?.common.join(", ") ?? "";
  const text = beginning ?? model?.examples.at(0)?.replace(/_[^]*/, "").trim() ?? "";
  useEffect(() => {
    if (model !== undefined) onQuestion({ begun: text, holds: words });
  }, [model, text, words]);
  const question = {
    constraint: constraintOfWords(words),
    ...{ begun: text.trim(), tokens: TOKENS, list: 8, draws: 4, seed },
  };
  const { value, error, pending } = useTabAnswer(
    JSON.stringify([name, model?.engine, question]),
    model && (() => worker.call("goOn", { name, question })),
  );
  const answer = value?.answer;
  return (
    <>
      <div class="asking card">
        <label for="begun">A text begins</label>
        <LineField id="begun" value={text} onInput={setText} />
        <label for="holds">
          and must hold{" "}
          <span class="faint">
            words with commas between them, in any order; or a constraint, such as{" "}
            <code>all(" peace", words(6, 12), not(" war"))</code>
          </span>
        </label>
        <LineField id="holds" value={words} onInput={setWords} />
      </div>
      <section class="model" aria-label={offered.title}>
        <h2>{offered.title}</h2>
        {closed !== undefined && <TabFailure error={closed} />}
        <p role="status" class="faint">
          {model === undefined
            ? loadingText(opening)
            : answer === undefined || pending
            ? "asking …"
            : error !== undefined
            ? ""
            : `${saidOfConstraint(answer)} · ${computedBy(value!.milliseconds, "reference")}`}
        </p>
        {error !== undefined && !pending && <TabFailure error={error} />}
        {answer !== undefined && (error === undefined || pending) && (
          <div class={pending ? "blanks stale" : "blanks"}>
            <NextTokens
              answer={answer}
              add={(more) =>
                setText(text.trimEnd() + more)}
            />
            <DrawnContinuations
              answer={answer}
              begun={text.trim()}
              again={() => setSeed((before) => before + 1)}
            />
          </div>
        )}
      </section>
    </>
  );
}
