/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import type { Explorable } from "../../explorer/explorable.ts";
import type { TextAnswer } from "../../../browser/ask.ts";
import { Checkbox, Choice, LineField } from "../../parts/asking.tsx";
import { BlankWords, DrawnSentences, Likeliest, said, withBlank } from "../../parts/blanks.tsx";
import type { ModelBeside } from "../explore.ts";
import { useAnswer } from "./answer.ts";
import { Examples } from "./examples.tsx";
import { Problem } from "./frame.tsx";

/** Initial text of the field. */
const EXAMPLE = "the _ of the _ .";
const LISTS = [10, 50, 250, 1000];

/** A sentence with blanks, and below it the likely words at each blank according to every selected model. */
export function ExploreText(
  { models, about, sentences, begun, onQuestion }: {
    models: readonly ModelBeside[];
    about: Explorable & { kind: "text" };
    /** Sentences to begin with. */
    sentences: readonly string[];
    /** The question in the address. */
    begun: Readonly<Record<string, string>>;
    onQuestion: (question: Readonly<Record<string, string>>) => void;
  },
) {
  const [sentence, setSentence] = useState(begun.sentence ?? sentences[0] ?? EXAMPLE);
  const [ends, setEnds] = useState(begun.ends !== "false");
  const [list, setList] = useState(LISTS.find((one) => String(one) === begun.list) ?? LISTS[0]!);
  const [likeliest, setLikeliest] = useState(begun.likeliest === "true");
  const [seed, setSeed] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const question = { sentence, ends: String(ends), list: String(list), likeliest: String(likeliest) };
  useEffect(() => onQuestion(question), Object.values(question));
  const fill = (blank: number, word: string) => {
    setSentence((before) => withBlank(before, blank, word));
    field.current?.focus();
  };
  const choose = (text: string) => {
    setSentence(text);
    field.current?.focus();
  };
  return (
    <>
      <div class="asking card">
        <label for="sentence">
          Sentence{" "}
          <span class="faint">
            <code>_</code> stands for a word (of a model over pieces: a piece) that is missing; up to{" "}
            {about.length} tokens with the ends of the sentence
          </span>
        </label>
        <LineField
          id="sentence"
          field={field}
          value={sentence}
          most={5000}
          saidId="said"
          onInput={setSentence}
        />
        <Examples
          digest={models[0]!.digest}
          length={about.length}
          sentences={sentences}
          onChoose={choose}
        />
        <div class="bar">
          <Checkbox checked={ends} onChange={setEnds}>it ends here</Checkbox>
          <Checkbox checked={likeliest} onChange={setLikeliest}>the likeliest filling of all blanks</Checkbox>
          <Choice
            label="Words listed"
            value={list}
            options={LISTS.map((count) => [count, String(count)])}
            onChoose={setList}
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
            question={{ ...question, draws: "4", seed: String(seed) }}
            saidId={i === 0 ? "said" : undefined}
            fill={fill}
            again={() => setSeed((before) => before + 1)}
          />
        ))}
      </div>
    </>
  );
}

/** One model's answer. */
function Answered(
  { name, colour, digest, question, saidId, fill, again }: {
    colour: number;
    /** Empty if it is the only model. */
    name: string;
    digest: string;
    question: Readonly<Record<string, string>>;
    saidId: string | undefined;
    fill: (blank: number, word: string) => void;
    again: () => void;
  },
) {
  const answer = useAnswer<TextAnswer>(digest, question);
  const value = answer.value;
  return (
    <div class="model" style={`--colour:var(--series-${colour})`}>
      {name !== "" && <h2>{name}</h2>}
      <p id={saidId} role="status" class="faint">
        {answer.pending ? "asking …" : value === undefined ? "" : said(value)}
      </p>
      {answer.error !== undefined && <Problem error={answer.error} />}
      {value !== undefined && answer.error === undefined && (
        <div class={answer.pending ? "stale" : undefined}>
          {value.likeliest !== null && <Likeliest likeliest={value.likeliest} />}
          <div class="blanks">
            {value.blanks.map((blank, i) => (
              <BlankWords
                key={i}
                title={`Blank ${i + 1}`}
                blank={blank}
                answer={value}
                fill={(word) => fill(i, word)}
              />
            ))}
          </div>
          <DrawnSentences name={name} answer={value} again={again} />
        </div>
      )}
    </div>
  );
}
