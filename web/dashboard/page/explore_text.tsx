/// <reference lib="dom" />
import { useRef, useState } from "preact/hooks";
import { valueText } from "../../../foundation/format.ts";
import type { Explorable } from "../../explorer/explorable.ts";
import type { TextAnswer } from "../../explorer/protocol.ts";
import { Table } from "../../parts/values.tsx";
import { useAnswer } from "./answer.ts";
import { Problem, Section } from "./frame.tsx";

/** What stands in the field at first. */
const EXAMPLE = "the _ of the _ .";
const LISTS = [10, 50, 250, 1000];

/** A sentence with blanks; below it what may stand at each of them. */
export function ExploreText(
  { digest, about }: { digest: string; about: Explorable & { kind: "text" } },
) {
  const [sentence, setSentence] = useState(EXAMPLE);
  const [ends, setEnds] = useState(true);
  const [list, setList] = useState(LISTS[0]!);
  const [seed, setSeed] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const answer = useAnswer<TextAnswer>(digest, {
    sentence,
    ends: String(ends),
    list: String(list),
    draws: "4",
    seed: String(seed),
  });
  const fill = (blank: number, word: string) => {
    setSentence((before) => withBlank(before, blank, word));
    field.current?.focus();
  };
  return (
    <>
      <div class="asking">
        <label for="sentence">
          Sentence; <code>_</code> stands for a word (of a model over pieces: a piece) that is missing, up to
          {" "}
          {about.length} units with the ends of the sentence
        </label>
        <input
          id="sentence"
          ref={field}
          type="text"
          value={sentence}
          maxLength={5000}
          autoComplete="off"
          spellcheck={false}
          aria-describedby="said"
          onInput={(event) => setSentence(event.currentTarget.value)}
        />
        <div class="bar">
          <label>
            <input
              type="checkbox"
              checked={ends}
              onChange={(event) => setEnds(event.currentTarget.checked)}
            />{" "}
            it ends here
          </label>
          <label>
            Words listed{" "}
            <select
              value={String(list)}
              onChange={(event) => setList(Number(event.currentTarget.value))}
            >
              {LISTS.map((count) => <option key={count} value={String(count)}>{count}</option>)}
            </select>
          </label>
        </div>
      </div>
      <p id="said" role="status" class="faint">
        {answer.pending ? "asking …" : answer.value === undefined ? "" : said(answer.value)}
      </p>
      {answer.error !== undefined && <Problem error={answer.error} />}
      {answer.value !== undefined && answer.error === undefined && (
        <div class={answer.pending ? "stale" : undefined}>
          <div class="blanks">
            {answer.value.blanks.map((blank, i) => (
              <Blank
                key={i}
                title={`Blank ${i + 1}`}
                blank={blank}
                vocabulary={answer.value!.vocabulary}
                fill={(word) => fill(i, word)}
              />
            ))}
          </div>
          {answer.value.drawn.length > 0 && (
            <Section title="Drawn">
              <ul class="texts">
                {answer.value.drawn.map((text, i) => <li key={i} class="prose">{text}</li>)}
              </ul>
              <button
                type="button"
                onClick={() =>
                  setSeed((before) => before + 1)}
              >
                Draw others
              </button>
            </Section>
          )}
        </div>
      )}
    </>
  );
}

function said({ bits, given, unknown, blanks }: TextAnswer): string {
  const missing = unknown.length === 0
    ? ""
    : `; not in the vocabulary and read as unknown: ${[...new Set(unknown)].join(", ")}`;
  const surprise = bits === null
    ? "what stands is impossible"
    : `the ${given} units that stand, ends included, have ${valueText(bits)} bits of surprise`;
  return `${blanks.length === 1 ? "1 blank" : `${blanks.length} blanks`}; ${surprise}${missing}`;
}

function Blank(
  { title, blank, vocabulary, fill }: {
    title: string;
    blank: TextAnswer["blanks"][number];
    vocabulary: number;
    fill: (word: string) => void;
  },
) {
  const listed = blank.words.reduce((sum, one) => sum + one.probability, 0);
  const most = blank.words[0]?.probability ?? 1;
  return (
    <section class="blank" aria-label={title}>
      <h2>{title}</h2>
      <p class="faint">
        {blank.entropy.toFixed(2)} bits unsure, of at most {Math.log2(vocabulary).toFixed(2)}
      </p>
      <Table
        caption={`${title}: words and their probabilities`}
        head={["word", "probability", ""]}
        numeric={[1]}
        rows={blank.words.map(({ word, probability, text = word }) => [
          <button
            key="w"
            type="button"
            class="word"
            title="put it there"
            onClick={() => fill(text)}
          >
            {word}
          </button>,
          percent(probability),
          <span
            key="b"
            class="amount"
            aria-hidden="true"
            style={{ width: `${(100 * probability / most).toFixed(2)}%` }}
          />,
        ])}
      />
      <p class="faint">
        {vocabulary > blank.words.length
          ? `${percent(Math.max(0, 1 - listed))} is on the other ${vocabulary - blank.words.length} words`
          : "that is all words"}
      </p>
    </section>
  );
}

function percent(probability: number): string {
  return probability >= 0.0001 || probability === 0
    ? `${(100 * probability).toFixed(2)} %`
    : `${(100 * probability).toExponential(1)} %`;
}

/** The sentence with a word in place of one of its blanks. */
function withBlank(sentence: string, blank: number, word: string): string {
  let seen = -1;
  return sentence.replaceAll("_", () => {
    seen++;
    return seen === blank ? word : "_";
  });
}
