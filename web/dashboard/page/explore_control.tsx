/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { ControlAnswer } from "../../../browser/ask_control.ts";
import type { ModelBeside } from "../explore.ts";
import { useAnswer } from "./answer.ts";
import { Choice, LineField, Tries } from "../../parts/asking.tsx";
import { DrawnContinuations, NextTokens, saidOfConstraint } from "../../parts/next_tokens.tsx";
import { Problem } from "./frame.tsx";

/** Constraints to begin with; the first is asked at once. */
const EXAMPLES = [
  "words(4, 8)",
  'all(" the", words(4, 12))',
  'not(anyOf(" the", " a"))',
  "matches(/^[^,]*$/)",
];
/** Numbers of tokens to choose from. */
const LENGTHS = [8, 16, 32, 64];

/** A constraint that is typed, and the tokens that may come next so that it will be satisfied, by every selected model. */
export function ExploreControl(
  { models, begun, onQuestion }: {
    models: readonly ModelBeside[];
    /** The question in the address. */
    begun: Readonly<Record<string, string>>;
    onQuestion: (question: Readonly<Record<string, string>>) => void;
  },
) {
  const [constraint, setConstraint] = useState(begun.constraint ?? EXAMPLES[0]!);
  const [text, setText] = useState(begun.begun ?? "");
  const [tokens, setTokens] = useState(LENGTHS.find((one) => String(one) === begun.tokens) ?? LENGTHS[1]!);
  const [seed, setSeed] = useState(0);
  const question = { ask: "control", constraint, begun: text, tokens: String(tokens) };
  useEffect(() => onQuestion(question), Object.values(question));
  return (
    <>
      <div class="asking card">
        <label for="constraint">
          Constraint{" "}
          <span class="faint">
            a phrase, or phrases in quotes within <code>all</code>, <code>anyOf</code>, <code>inOrder</code>,
            {" "}
            <code>not</code>, <code>words(least, most)</code>, <code>exactly(n, …)</code>,{" "}
            <code>atLeast</code>, <code>atMost</code>,{" "}
            <code>matches(/…/)</code>; a blank is a letter like others
          </span>
        </label>
        <LineField id="constraint" value={constraint} saidId="said" onInput={setConstraint} />
        <div class="bar">
          <Tries examples={EXAMPLES} onChoose={setConstraint} />
        </div>
        <label for="begun">
          Text so far <span class="faint">the constraint is about it as well</span>
        </label>
        <LineField id="begun" value={text} onInput={setText} />
        <div class="bar">
          <Choice
            label="Tokens that may follow"
            value={tokens}
            options={LENGTHS.map((count) => [count, `up to ${count}`])}
            onChoose={setTokens}
          />
        </div>
      </div>
      <div class={models.length > 1 ? "models" : undefined}>
        {models.map(({ digest, name, colour }, i) => (
          <Answered
            key={digest}
            colour={colour}
            name={models.length > 1 ? name : ""}
            digest={digest}
            question={{ ...question, list: "25", draws: "6", seed: String(seed) }}
            saidId={i === 0 ? "said" : undefined}
            begun={text}
            add={(more) => setText((before) => before + more)}
            again={() => setSeed((before) => before + 1)}
          />
        ))}
      </div>
    </>
  );
}

/** One model's answer. */
function Answered(
  { name, colour, digest, question, saidId, begun, add, again }: {
    colour: number;
    /** Empty if it is the only model. */
    name: string;
    digest: string;
    question: Readonly<Record<string, string>>;
    saidId: string | undefined;
    begun: string;
    add: (text: string) => void;
    again: () => void;
  },
) {
  const { value, error, pending } = useAnswer<ControlAnswer>(digest, question);
  return (
    <div class="model" style={`--colour:var(--series-${colour})`}>
      {name !== "" && <h2>{name}</h2>}
      <p id={saidId} role="status" class="faint">
        {pending ? "asking …" : error !== undefined || value === undefined ? "" : saidOfConstraint(value)}
      </p>
      {error !== undefined && <Problem error={error} />}
      {value !== undefined && error === undefined && (
        <div class={pending ? "stale" : undefined}>
          <div class="blanks">
            <NextTokens answer={value} add={add} />
            <DrawnContinuations name={name} answer={value} begun={begun} again={again} />
          </div>
        </div>
      )}
    </div>
  );
}
