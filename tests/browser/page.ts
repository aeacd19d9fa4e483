/// <reference lib="dom" />
// What the test calls in a tab.
import {
  fitText,
  openTabEngine,
  openTextModel,
  prepareText,
  type TabEngineChoice,
  type TextTraining,
} from "../../browser/mod.ts";
import { conditional } from "../../circuits/mod.ts";
import { madeUpText } from "./text.ts";

/** Trains five epochs on an engine of the tab; its name, and nats a token by epoch. */
async function learned(choice: TabEngineChoice, training: TextTraining) {
  const { name, engine } = await openTabEngine(training.start, choice);
  const nats: number[] = [];
  await fitText(engine, training, {
    epochs: 5,
    onEpoch: ({ perplexity }) => nats.push(Math.log(perplexity)),
  });
  return { name: name as string, nats, engine };
}

/** The same of a small text, with a conditional of the result. */
export async function trained(choice: TabEngineChoice) {
  const training = await prepareText(madeUpText(300), { states: 6, length: 12 });
  const { name, nats, engine } = await learned(choice, training);
  await engine.parameters();
  const asked = { ...training.valid, count: 1, observed: new Uint8Array(12).fill(1).fill(0, 3, 5) };
  const shares = await conditional(engine, { ...asked, values: asked.values.slice(0, 12) }, [3, 4]);
  await engine.close();
  return { name, nats, shares: [...shares.values()].map((one) => [...one]) };
}

/** Nats a token by epoch of a text that is learned as the playground does. */
export async function scores(choice: TabEngineChoice, text: string): Promise<number[]> {
  const { nats, engine } = await learned(choice, await prepareText(text));
  await engine.close();
  return nats;
}

/** The likeliest words of the first blank of a sentence, by a model at an address. */
export async function likely(from: string | Uint8Array, sentence: string): Promise<string[]> {
  await using model = await openTextModel(from, { engine: "reference" });
  const { blanks } = await model.ask(sentence, { list: 3 });
  return blanks[0]!.words.map(({ word }) => word);
}

Object.assign(globalThis, { trained, scores, likely });
