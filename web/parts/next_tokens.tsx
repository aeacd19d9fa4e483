/// <reference lib="dom" />
import { Fragment } from "preact";
import type { ControlAnswer } from "../../browser/ask_control.ts";
import { AmountBar, DrawnTexts, WordButton } from "./answered.tsx";
import { percent } from "./blanks.tsx";
import { Table } from "./values.tsx";

/** What an answer under a constraint is about, in a line. */
export function saidOfConstraint({ constraint, bits, tokens, states }: ControlAnswer): string {
  const likely = bits === null
    ? "is impossible to the model, and kept all the same"
    : `has a probability of ${percent(2 ** -bits)} to be satisfied`;
  return `${constraint} ${likely}${
    tokens === 0 ? "" : ` after ${tokens === 1 ? "1 token" : `${tokens} tokens`}`
  }; ` +
    `${states === 1 ? "1 state" : `${states} states`}`;
}

/** The tokens that may come next, with the constraint and without it. */
export function NextTokens(
  { answer, of = "", add }: {
    answer: ControlAnswer;
    /** The model, where several answer on a page. */
    of?: string;
    add: (text: string) => void;
  },
) {
  const { next, allowed, vocabulary } = answer;
  const most = next[0]?.probability ?? 1;
  const listed = next.reduce((sum, one) => sum + one.probability, 0);
  return (
    <section class="blank next" aria-label={of === "" ? "Next token" : `Next token, ${of}`}>
      <h2>Next token</h2>
      <p class="faint">
        {next.length === 0
          ? "nothing may follow: the text is complete, and as long as it may be"
          : `${allowed} of ${vocabulary} may come next`}
      </p>
      {next.length > 0 && (
        <Table
          caption="Tokens that may come next, with their probabilities with the constraint and without it"
          head={["token", "with it", "without", <span key="b" class="hidden">as a bar</span>]}
          numeric={[1, 2]}
          rows={next.map(({ text, probability, alone }) => [
            text === null
              ? <em key="w" class="faint">the end</em>
              : (
                <WordButton key="w" title="add it to the text" onClick={() => add(text)}>
                  <code>{JSON.stringify(text)}</code>
                </WordButton>
              ),
            percent(probability),
            percent(alone),
            <AmountBar key="b" share={probability / most} />,
          ])}
        />
      )}
      {allowed > next.length && next.length > 0 && (
        <p class="faint">
          {percent(Math.max(0, 1 - listed))} is on the other {allowed - next.length} tokens
        </p>
      )}
    </section>
  );
}

/** Continuations that a model drew, behind the text that they continue. */
export function DrawnContinuations(
  { name = "", answer: { drawn }, begun, again }: {
    /** The model; empty if it is the only one. */
    name?: string;
    answer: ControlAnswer;
    begun: string;
    again: () => void;
  },
) {
  const texts = drawn.map((more, i) => (
    <Fragment key={i}>
      <span class="faint">{begun}</span>
      {more}
    </Fragment>
  ));
  return <DrawnTexts name={name} texts={texts} again={again} />;
}
