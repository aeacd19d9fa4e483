/// <reference lib="dom" />
// What the test calls in a tab.
import {
  fitText,
  openTabEngine,
  openTextModel,
  prepareText,
  type TabEngineChoice,
} from "../../browser/mod.ts";
import { conditional } from "../../circuits/mod.ts";
import { madeUpText } from "./text.ts";

/** Trains five epochs on an engine of the tab; its name, nats a token by epoch, and a conditional of the result. */
export async function trained(choice: TabEngineChoice) {
  const training = await prepareText(madeUpText(300), { states: 6, length: 12 });
  const { name, engine } = await openTabEngine(training.start, choice);
  const nats: number[] = [];
  await fitText(engine, training, {
    epochs: 5,
    onEpoch: ({ perplexity }) => nats.push(Math.log(perplexity)),
  });
  await engine.parameters();
  const asked = { ...training.valid, count: 1, observed: new Uint8Array(12).fill(1).fill(0, 3, 5) };
  const shares = await conditional(engine, { ...asked, values: asked.values.slice(0, 12) }, [3, 4]);
  await engine.close();
  return { name: name as string, nats, shares: [...shares.values()].map((one) => [...one]) };
}

/** The likeliest words of the first blank of a sentence, by a model at an address. */
export async function likely(from: string | Uint8Array, sentence: string): Promise<string[]> {
  await using model = await openTextModel(from, { engine: "reference" });
  const { blanks } = await model.ask(sentence, { list: 3 });
  return blanks[0]!.words.map(({ word }) => word);
}

Object.assign(globalThis, { trained, likely });
