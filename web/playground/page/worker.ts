/// <reference lib="webworker" />
// Everything is computed here, so that the page never waits.
import { openTextModel, type TextModel } from "../../../browser/text_model.ts";
import { hintOf, messageOf, RetortError } from "../../../foundation/errors.ts";
import type { OpenModel, WorkerCall, WorkerCalls, WorkerReply, WorkerRequest } from "./protocol.ts";

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
};

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
  last = last.then(() => serve(data));
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
