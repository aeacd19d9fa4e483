/// <reference lib="dom" />
import { useRef, useState } from "preact/hooks";
import type { TabEngineChoice } from "../../../browser/engine_names.ts";
import { bytesText } from "../../../foundation/format.ts";
import type { TextEpoch } from "../../../browser/train.ts";
import { Choice } from "../../parts/asking.tsx";
import { Table } from "../../parts/values.tsx";
import { TabWorker } from "./client.ts";
import { TabFailure } from "./failure.tsx";
import { blobOf } from "./long_text.ts";
import { PerplexityCurve } from "./perplexity.tsx";
import type { TrainingNews } from "./protocol.ts";

const STATES = [8, 16, 32, 64, 128, 256];

/** The longest text that is shown to be edited, in characters: the lines of a longer one would hold up the page. */
const LONGEST = 20_000;

/** What a text that was pasted is called. */
const PASTED = "pasted text";

/** A text that is not shown. */
interface Held {
  readonly name: string;
  /** In words. */
  readonly size: string;
  /** Undefined while it is being put together. */
  readonly text: Blob | undefined;
}

/** How far a training is. */
interface Course {
  readonly ready?: Extract<TrainingNews, { kind: "ready" }>;
  readonly epochs: readonly TextEpoch[];
  readonly share: number;
  readonly began: number;
}

/** Trains a model of the visitor's own text, in a worker of its own, so that questions are answered meanwhile. */
export function Train(
  { engine, onModel }: {
    engine: TabEngineChoice;
    /** Gets the file of the model. */
    onModel: (file: Uint8Array<ArrayBuffer>, title: string) => void;
  },
) {
  // Started with the first training: nothing is to delay the first answer.
  const started = useRef<TabWorker>(undefined);
  const [text, setText] = useState("");
  const [held, setHeld] = useState<Held>();
  const [by, setBy] = useState<"words" | "characters">("words");
  const [states, setStates] = useState(32);
  const [course, setCourse] = useState<Course>();
  const [running, setRunning] = useState(false);
  const [done, setDone] = useState<{ file: Uint8Array<ArrayBuffer>; title: string }>();
  const [error, setError] = useState<Error>();
  const input = useRef<HTMLInputElement>(null);
  const title = `Your model: ${held?.name ?? PASTED}`;
  const learn = async () => {
    setRunning(true);
    setError(undefined);
    setDone(undefined);
    setCourse({ epochs: [], share: 0, began: performance.now() });
    const news = (one: TrainingNews) =>
      setCourse((before) => {
        if (before === undefined) return before;
        if (one.kind === "ready") return { ...before, ready: one };
        if (one.kind === "epoch") return { ...before, epochs: [...before.epochs, one.epoch] };
        return { ...before, share: one.done / one.total };
      });
    try {
      started.current ??= new TabWorker();
      const made = await started.current.call(
        "train",
        { text: held?.text ?? text, title, options: { states, by }, engine },
        news,
      );
      setDone({ file: made, title });
      onModel(made, title);
    } catch (failed) {
      setError(failed as Error);
    } finally {
      setRunning(false);
    }
  };
  const take = (dropped: File | undefined) => {
    if (dropped !== undefined) hold({ name: dropped.name, size: bytesText(dropped.size), text: dropped });
  };
  const hold = (one: Held) => {
    setHeld(one);
    setText("");
  };
  const write = async (written: string) => {
    if (written.length <= LONGEST) return setText(written);
    const one: Held = { name: PASTED, size: `${written.length} characters`, text: undefined };
    hold(one);
    const text = await blobOf(written);
    setHeld((now) => now === one ? { ...one, text } : now);
  };
  /** Keeps a long text from being laid out. */
  const takeLong = (event: Event, written = "") => {
    if (written.length <= LONGEST) return;
    event.preventDefault();
    write(written);
  };
  return (
    <section aria-labelledby="train-title" class="card train">
      <h2 id="train-title" tabIndex={-1}>Train your own</h2>
      <p>
        Paste a text, or drop a file. It is learned here, in this tab, and stays here: some thousand words are
        enough for a small model.
      </p>
      <label for="train-text">A text</label>
      <textarea
        id="train-text"
        rows={5}
        value={held === undefined ? text : `${held.name}, ${held.size}`}
        readOnly={held !== undefined}
        spellcheck={false}
        onPaste={(event) => takeLong(event, event.clipboardData?.getData("text"))}
        // Keyboards of phones have clipboards of their own.
        onBeforeInput={(event) => takeLong(event, (event as unknown as InputEvent).data ?? "")}
        onInput={(event) => write(event.currentTarget.value)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          const dropped = event.dataTransfer?.files[0];
          if (dropped === undefined) write(event.dataTransfer?.getData("text") ?? "");
          else take(dropped);
        }}
      />
      <div class="bar">
        <input
          ref={input}
          type="file"
          class="hidden"
          id="train-file"
          aria-label="A file with a text"
          tabIndex={-1}
          onChange={(event) => take(event.currentTarget.files?.[0])}
        />
        <button type="button" onClick={() => input.current?.click()}>Choose a file</button>
        {held !== undefined && <button type="button" onClick={() => setHeld(undefined)}>Another text</button>}
        <Choice
          label="Tokens"
          value={by}
          options={[["words", "words"], ["characters", "letters"]]}
          onChoose={setBy}
        />
        <Choice
          label="Hidden states"
          value={states}
          options={STATES.map((count) => [count, String(count)])}
          onChoose={setStates}
        />
        {running
          ? <button type="button" onClick={() => started.current?.call("stop", {})}>Stop and keep</button>
          : (
            <button
              type="button"
              class="primary"
              disabled={held === undefined ? text.trim() === "" : held.text === undefined}
              onClick={learn}
            >
              Train
            </button>
          )}
      </div>
      {error !== undefined && <TabFailure error={error} />}
      {course !== undefined && <Progress course={course} running={running} />}
      {done !== undefined && <Save {...done} />}
    </section>
  );
}

function Progress({ course: { ready, epochs, share }, running }: { course: Course; running: boolean }) {
  const last = epochs.at(-1);
  const best = epochs.findLast((one) => one.best);
  return (
    <div class="course">
      <p role="status" class="faint">
        {ready === undefined
          ? running ? "reading the text …" : ""
          : `${ready.tokens.train} tokens of ${ready.words} kinds are learned from, ${ready.tokens.valid} check it; ` +
            (last === undefined
              ? "the start is scored …"
              : `epoch ${last.epoch}, perplexity ${last.perplexity.toFixed(1)}`) +
            (running ? ` · ${Math.round(100 * share)} % at the longest` : " · done")}
      </p>
      {ready !== undefined && epochs.length > 0 && (
        <>
          <PerplexityCurve epochs={epochs} floors={ready.floors} />
          <details>
            <summary>As a table</summary>
            <Table
              caption="Perplexity by epoch"
              head={["epoch", "perplexity"]}
              numeric={[0, 1]}
              rows={[
                ...epochs.map(({ epoch, perplexity }) => [String(epoch), perplexity.toFixed(1)]),
                ["words alone", ready.floors.unigram.toFixed(1)],
                ["pairs of words", ready.floors.bigram.toFixed(1)],
              ]}
            />
          </details>
          {!running && best !== undefined && (
            <p>
              Perplexity{" "}
              {best.perplexity.toFixed(1)}: as unsure as if it chose among that many tokens each time.
              {best.perplexity < ready.floors.bigram
                ? " It beats pairs of tokens."
                : best.perplexity < ready.floors.unigram
                ? " It beats single tokens, and pairs of tokens beat it: more states, or more text, would help."
                : " Counting single tokens does as well: it takes more text."}
            </p>
          )}
        </>
      )}
    </div>
  );
}

function Save({ file, title }: { file: Uint8Array<ArrayBuffer>; title: string }) {
  const save = () => {
    const url = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${
      title.replaceAll(/[^\p{L}\p{N}.]+/gu, "-").replaceAll(/^-|-$/g, "").toLowerCase()
    }.retort`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  };
  return (
    <p class="bar">
      <button type="button" onClick={save}>Save the model</button>
      <span class="faint">
        {Math.ceil(file.length / 1000)} kB; <code>loadCircuit</code> reads it
      </span>
    </p>
  );
}
