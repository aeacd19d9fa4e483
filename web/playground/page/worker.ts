/// <reference lib="webworker" />
// Everything is computed here, so that the page never waits.
import { encodeTextModel } from "../../../browser/model_file.ts";
import type { ImageTabModel } from "../../../browser/image_model.ts";
import { openTextModel, type TextModel } from "../../../browser/text_model.ts";
import { hintOf, messageOf, RetortError } from "../../../foundation/errors.ts";
import type {
  OpenArgs,
  OpenModel,
  TrainingNews,
  WorkerCall,
  WorkerCalls,
  WorkerReply,
  WorkerRequest,
} from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

/** A model with where it comes from, and on what it was wanted. */
interface Kept<M> {
  readonly key: string;
  readonly model: M;
}

const texts = new Map<string, Kept<TextModel>>(), images = new Map<string, Kept<ImageTabModel>>();

type Calls = {
  [N in WorkerCall]: (
    args: WorkerCalls[N]["args"],
    tell: (event: unknown) => void,
  ) => Promise<WorkerCalls[N]["value"]>;
};

const calls: Calls = {
  async open(args, tell) {
    return factsOf(
      await kept(texts, args, () => openTextModel(args.from, { engine: args.engine, onProgress: tell })),
    );
  },
  ask: ({ name, question: { sentence, ...options } }) =>
    timed(() => modelOf(texts, name).ask(sentence, options)),
  goOn: ({ name, question: { constraint, ...options } }) =>
    timed(() => modelOf(texts, name).goOn(constraint, options)),
  states: ({ name }) => modelOf(texts, name).states(),
  async openImages(args, tell) {
    // Few visitors get here.
    const { openImageModel } = await import("../../../browser/image_model.ts");
    const open = () => openImageModel(args.from, { engine: args.engine, onProgress: tell });
    const { story, images: { space, count }, engine } = await kept(images, args, open);
    const { title, provenance } = story, { height, width } = space;
    return { title, provenance, height, width, count, engine: engine.name };
  },
  fill: ({ name, question: { image, ...options } }) =>
    timed(() => modelOf(images, name).fill(image, options)),
  async train({ text, title, options, engine }, say) {
    const tell: (news: TrainingNews) => void = say;
    stopping = new AbortController();
    // Nobody waits for it before the first answer.
    const { trainInTab } = await import("../../../browser/train.ts");
    let told = 0;
    const file = await trainInTab(typeof text === "string" ? text : await textOf(text), {
      ...options,
      title,
      engine,
      signal: stopping.signal,
      onReady: (facts) => tell({ kind: "ready", ...facts }),
      onEpoch: (epoch) => tell({ kind: "epoch", epoch }),
      onProgress({ done, total }) {
        // A page need not be drawn for each of many small batches.
        if (performance.now() - told < 100) return;
        told = performance.now();
        tell({ kind: "batch", done, total });
      },
    });
    return encodeTextModel(file).bytes;
  },
  stop() {
    stopping?.abort();
    return Promise.resolve(null);
  },
};

let stopping: AbortController | undefined;

/** Most bytes of a dropped file: a text that long no tab learns. */
const MOST_BYTES = 64 << 20;

/** The text of a file. @throws {RetortError} when it is none, or too large to be read */
async function textOf(file: Blob): Promise<string> {
  if (file.size > MOST_BYTES) {
    throw new RetortError(
      "page/limit",
      `the file has ${Math.ceil(file.size / 2 ** 20)} MiB, and a tab takes 64`,
      {
        hint: "Take a part of it.",
      },
    );
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.includes(0)) throw new RetortError("text/encoding", "the file holds zero bytes: it is no text");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RetortError("text/encoding", "the file is no text in UTF-8", {
      hint: "Save it as UTF-8 text, and drop it again.",
      cause,
    });
  }
}

/** The model of a name, opened unless it is open already. */
async function kept<M extends { close(): Promise<void> }>(
  models: Map<string, Kept<M>>,
  { name, from, engine }: OpenArgs,
  open: () => Promise<M>,
): Promise<M> {
  const key = `${engine} ${from}`, before = models.get(name);
  if (before?.key === key) return before.model;
  const model = await open();
  await before?.model.close();
  models.set(name, { key, model });
  return model;
}

function modelOf<M>(models: ReadonlyMap<string, Kept<M>>, name: string): M {
  const found = models.get(name);
  if (found === undefined) throw new RetortError("page/not-found", `no model \`${name}\` is open`);
  return found.model;
}

async function timed<T>(ask: () => Promise<T>): Promise<{ answer: T; milliseconds: number }> {
  const began = performance.now();
  return { answer: await ask(), milliseconds: performance.now() - began };
}

function factsOf({ story, circuit, vocabulary, engine }: TextModel): OpenModel {
  const transition = circuit.parameters.get("transition");
  return {
    ...story,
    length: circuit.variables.length,
    words: vocabulary.words.length,
    // Vocabularies begin with what is frequent.
    common: vocabulary.words.filter((word) => /^\p{L}{7,}$/u.test(word)).slice(0, 2),
    states: transition === undefined ? null : transition.shape.at(-1)!,
    engine: engine.name,
    adapter: engine.adapter,
  };
}

// One after another: two at once would only make both later.
let last: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<WorkerRequest>) => {
  // What ends the training must not wait for it.
  if (data.call === "stop") serve(data);
  else last = last.then(() => serve(data));
});

async function serve<N extends WorkerCall>(
  { id, call, args }: { id: number; call: N; args: WorkerCalls[N]["args"] },
) {
  const send = (reply: WorkerReply) => self.postMessage(reply);
  try {
    send({ id, value: await calls[call](args, (event) => send({ id, event })) });
  } catch (error) {
    send({ id, failed: { message: messageOf(error), hint: hintOf(error) ?? null } });
  }
}
