import { defineStage, json, text } from "retort";
import { z } from "zod";

/** How often each word stands in a text. */
export const counts = json("word-counts", z.record(z.string(), z.int()));

/** Counts the words of a text. */
export const count = defineStage({
  name: "mine.count",
  inputs: { text },
  outputs: { counts },
  run({ inputs }) {
    const words = inputs.text.split(" ").filter((word) => word !== "");
    const groups = Map.groupBy(words, (word) => word);
    return { counts: Object.fromEntries([...groups].map(([word, found]) => [word, found.length])) };
  },
});
