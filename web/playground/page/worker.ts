/// <reference lib="webworker" />
// Everything is computed here, so that the page never waits.
import { encodeTextModel } from "../../../browser/model_file.ts";
import { openTextModel, type TextModel } from "../../../browser/text_model.ts";
import { hintOf, messageOf, RetortError } from "../../../foundation/errors.ts";
import type {
  OpenModel,
  TrainingNews,
  WorkerCall,
  WorkerCalls,
  WorkerReply,
  WorkerRequest,
} from "./protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const models = new Map<string, TextModel>();

type Calls = {
  [N in WorkerCall]: (
    args: WorkerCalls[N]["args"],
    tell: (event: unknown) => void,
  ) => Promise<WorkerCalls[N]["value"]>;
};

const calls: Calls = {
  async open({ name, from, engine }, tell) {
    const model = await openTextModel(from, { engine, onProgress: tell });
    await models.get(name)?.close();
    models.set(name, model);
    return factsOf(model);
  },
  async ask({ name, question: { sentence, ...options } }) {
    const began = performance.now();
    const answer = await modelOf(name).ask(sentence, options);
    return { answer, milliseconds: performance.now() - began };
  },
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

function modelOf(name: string): TextModel {
  const model = models.get(name);
  if (model === undefined) throw new RetortError("page/not-found", `no model \`${name}\` is open`);
  return model;
}

function factsOf({ story, circuit, vocabulary, engine }: TextModel): OpenModel {
  const transition = circuit.parameters.get("transition");
  return {
    ...story,
    length: circuit.variables.length,
    words: vocabulary.words.length,
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
