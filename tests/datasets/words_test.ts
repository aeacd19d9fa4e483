import assert from "node:assert/strict";
import { buildVocabulary, encodeSentences, sentencesOf } from "../../datasets/words.ts";

Deno.test("sentences are split at full stops before white space and at empty lines", () => {
  assert.deepEqual(sentencesOf("It costs 3.50, Mr. Lincoln's say-so!  Yes?\n\nNo stop"), [
    ["it", "costs", "3", ".", "50", ",", "mr", "."],
    ["lincoln's", "say-so", "!"],
    ["yes", "?"],
    ["no", "stop"],
  ]);
  assert.deepEqual(sentencesOf(" \n\n "), []);
});

Deno.test("the vocabulary holds frequent words first; rare ones become the unknown word", () => {
  const sentences = [["b", "a", "b"], ["c", "a", "b", "d"]];
  const vocabulary = buildVocabulary(sentences, 2);
  assert.deepEqual(vocabulary.words, ["<unk>", "<eos>", "b", "a"]);
  assert.deepEqual([...encodeSentences(sentences, vocabulary)], [2, 3, 2, 1, 0, 3, 2, 0, 1]);
});

Deno.test("equally frequent words stand in the order of code units, whatever the text's order", () => {
  assert.deepEqual(buildVocabulary([["z", "a", "m"]], 1).words.slice(2), ["a", "m", "z"]);
  assert.deepEqual(buildVocabulary([["m", "z", "a"]], 1).words.slice(2), ["a", "m", "z"]);
});
