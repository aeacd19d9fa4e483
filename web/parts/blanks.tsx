/// <reference lib="dom" />
import { Fragment } from "preact";
import type { TextAnswer } from "../../browser/ask.ts";
import { shareText } from "../../foundation/format.ts";
import { AmountBar, DrawnTexts, WordButton } from "./answered.tsx";
import { Table } from "./values.tsx";

/** The likeliest filling of all blanks. */
export function Likeliest({ likeliest }: { likeliest: NonNullable<TextAnswer["likeliest"]> }) {
  return (
    <p class="likeliest">
      <strong class="prose">{likeliest.text}</strong>{" "}
      <span class="faint">
        {likeliest.exact ? "likeliest" : "likeliest that was found"} of known words,{" "}
        {percent(likeliest.probability)}
      </span>
    </p>
  );
}

/** What an answer is about, in a line. */
export function said({ bits, given, unknown, blanks }: TextAnswer): string {
  const missing = unknown.length === 0
    ? ""
    : `; not in the vocabulary and read as unknown: ${[...new Set(unknown)].join(", ")}`;
  const surprise = bits === null
    ? "what is given is impossible"
    : `the ${given} tokens that are given, ends included, have ${bits.toFixed(1)} bits of surprise`;
  return `${blanks.length === 1 ? "1 blank" : `${blanks.length} blanks`}; ${surprise}${missing}`;
}

/** The likely words of a blank. */
export function BlankWords(
  { title, of = "", blank, answer: { vocabulary, unknownWord }, fill }: {
    title: string;
    /** The model, where several answer on a page. */
    of?: string;
    blank: TextAnswer["blanks"][number];
    answer: TextAnswer;
    fill: (word: string) => void;
  },
) {
  const name = of === "" ? title : `${title}, ${of}`;
  const words = blank.words.filter(({ word }) => word !== unknownWord);
  const unknown = blank.words.find(({ word }) => word === unknownWord);
  const listed = blank.words.reduce((sum, one) => sum + one.probability, 0);
  const most = words[0]?.probability ?? 1;
  return (
    <section class="blank" aria-label={name}>
      <h2>{title}</h2>
      <p class="faint">
        {blank.entropy.toFixed(2)} bits unsure, of at most {Math.log2(vocabulary).toFixed(2)}
      </p>
      <Table
        caption={`${name}: words and their probabilities`}
        head={["word", "probability", <span key="b" class="hidden">as a bar</span>]}
        numeric={[1]}
        rows={words.map(({ word, probability, text = word }) => [
          <WordButton key="w" title="put it there" onClick={() => fill(text)}>{word}</WordButton>,
          percent(probability),
          <AmountBar key="b" share={probability / most} />,
        ])}
      />
      {unknown !== undefined && (
        <p class="faint">{percent(unknown.probability)} is on words that the vocabulary does not have</p>
      )}
      <p class="faint">
        {vocabulary > blank.words.length
          ? `${percent(Math.max(0, 1 - listed))} is on the other ${vocabulary - blank.words.length} words`
          : "that is all words"}
      </p>
    </section>
  );
}

/** Sentences that a model drew, and a button for others. */
export function DrawnSentences(
  { name, answer: { drawn, unknownWord }, again }: {
    /** The model; empty if it is the only one. */
    name: string;
    answer: TextAnswer;
    again: () => void;
  },
) {
  const texts = drawn.map((text) =>
    (unknownWord === null ? [text] : text.split(unknownWord)).map((part, k) => (
      <Fragment key={k}>
        {k > 0 && <em class="faint" title="a word that the vocabulary does not have">some word</em>}
        {part}
      </Fragment>
    ))
  );
  return <DrawnTexts name={name} texts={texts} Heading="h3" again={again} />;
}

/** A probability as a share of 100. */
export function percent(probability: number): string {
  return probability >= 0.0001 || probability === 0
    ? `${shareText(probability, 2)} %`
    : `${(100 * probability).toExponential(1)} %`;
}

/** The sentence with one of its blanks replaced by a word. */
export function withBlank(sentence: string, blank: number, word: string): string {
  let seen = -1;
  return sentence.replaceAll("_", () => {
    seen++;
    return seen === blank ? word : "_";
  });
}
