/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import type { SentenceQuestion, TextAnswer } from "../../../browser/ask.ts";
import type { TabEngineChoice } from "../../../browser/engine_names.ts";
import { Checkbox, LineField, Tries } from "../../parts/asking.tsx";
import { BlankWords, DrawnSentences, Likeliest, said, withBlank } from "../../parts/blanks.tsx";
import type { TabWorker } from "./client.ts";
import {
  computedBy,
  type FollowedAnswer,
  loadingText,
  type Opening,
  useModel,
  useTabAnswer,
} from "./models.ts";
import { TabFailure } from "./failure.tsx";
import { Later } from "./later.tsx";
import { onDemand } from "./on_demand.tsx";
import type { OfferedModel, OpenModel } from "./protocol.ts";

/** Indices of the colours of arms, as on all pages: of what the question is about, and of what it is held against. */
const SUBJECT = 0, BASELINE = 1;

const States = onDemand(async () => (await import("./states.tsx")).States);

/** The sentence at the beginning, where neither the address nor the model has one. */
const EXAMPLE = "we must _ the american people .";

/** A sentence with blanks, and what the model and the one beside it make of it. */
export function Ask(
  { worker, offered, beside, engine, begun, onQuestion }: {
    worker: TabWorker;
    offered: OfferedModel;
    beside: OfferedModel | undefined;
    engine: TabEngineChoice;
    begun: Readonly<Record<string, string>>;
    onQuestion: (question: Readonly<Record<string, string>>) => void;
  },
) {
  const [sentence, setSentence] = useState(begun.sentence ?? EXAMPLE);
  const [ends, setEnds] = useState(begun.ends !== "false");
  const [seed, setSeed] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => onQuestion({ sentence, ends: String(ends) }), [sentence, ends]);
  const question = { sentence, ends, list: 8, draws: 4, seed, likeliest: true };
  const first = useModel(worker, offered, engine);
  // The second is opened when the first is there, whose answer is what people wait for.
  const second = useModel(worker, first.model && beside, engine);
  const choose = (text: string) => {
    setSentence(text);
    field.current?.focus();
  };
  const fill = (blank: number, word: string) => choose(withBlank(sentence, blank, word));
  return (
    <>
      <div class="asking card">
        <label for="sentence">
          A sentence with blanks{" "}
          <span class="faint">
            write <code>_</code> for each word that is missing
          </span>
        </label>
        <LineField id="sentence" field={field} value={sentence} onInput={setSentence} />
        <div class="bar">
          <Checkbox checked={ends} onChange={setEnds}>it ends here</Checkbox>
          <Tries examples={first.model?.examples ?? []} onChoose={choose} />
        </div>
      </div>
      <div class={beside === undefined ? undefined : "models"}>
        <Model
          {...{ worker, offered, opening: first, question, fill }}
          again={() => setSeed((n) => n + 1)}
          main
        />
        {beside !== undefined && (
          <Model
            {...{ worker, opening: second, question, fill }}
            offered={beside}
            again={() => setSeed((n) => n + 1)}
          />
        )}
      </div>
    </>
  );
}

/** One model and its answer. */
function Model(
  { worker, offered, opening, question, fill, again, main = false }: {
    worker: TabWorker;
    offered: OfferedModel;
    opening: Opening;
    question: SentenceQuestion;
    fill: (blank: number, word: string) => void;
    again: () => void;
    main?: boolean;
  },
) {
  const { model, error } = opening, { name } = offered;
  const following = useTabAnswer(
    JSON.stringify([name, model?.engine, question]),
    model && (() => worker.call("ask", { name, question })),
  );
  return (
    <section
      class="model"
      aria-label={offered.title}
      style={`--colour:var(--series-${main ? SUBJECT : BASELINE})`}
    >
      <h2>{offered.title}</h2>
      {error !== undefined && <TabFailure error={error} />}
      <p
        role="status"
        class="faint"
        data-answered={main && following.value !== undefined ? "yes" : undefined}
      >
        {model === undefined ? loadingText(opening) : statusOf(model, following)}
      </p>
      <Answer {...{ following, fill, again }} name={offered.title} />
      {model?.states != null && <Meaning worker={worker} name={name} states={model.states} />}
    </section>
  );
}

/** What the hidden states mean, asked for when somebody wants to know. */
function Meaning({ worker, name, states }: { worker: TabWorker; name: string; states: number }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What its {states} hidden states mean</summary>
      {open && <States worker={worker} name={name} />}
    </details>
  );
}

function statusOf({ engine }: OpenModel, { value, pending }: FollowedAnswer<TextAnswer>): string {
  if (value === undefined) return "asking …";
  return `${said(value.answer)} · ${pending ? "asking …" : computedBy(value.milliseconds, engine)}`;
}

function Answer(
  { following, fill, again, name }: {
    following: FollowedAnswer<TextAnswer>;
    fill: (blank: number, word: string) => void;
    again: () => void;
    name: string;
  },
) {
  const { value, error, pending } = following;
  if (error !== undefined && !pending) return <TabFailure error={error} />;
  if (value === undefined) return null;
  const { answer } = value;
  return (
    <div class={pending ? "stale" : undefined}>
      {answer.likeliest !== null && <Likeliest likeliest={answer.likeliest} />}
      <div class="blanks">
        {answer.blanks.map((blank, i) => (
          <BlankWords
            key={i}
            title={`Blank ${i + 1}`}
            of={name}
            blank={blank}
            answer={answer}
            fill={(word) => fill(i, word)}
          />
        ))}
      </div>
      <Later>
        <DrawnSentences name={name} answer={answer} again={again} />
      </Later>
    </div>
  );
}
