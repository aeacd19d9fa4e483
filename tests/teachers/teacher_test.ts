import assert from "node:assert/strict";
import fc from "fast-check";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import { alignTokens } from "../../teachers/alignment.ts";
import { describeTeacher } from "../../teachers/describe.ts";
import { type CausalState, type EmbeddingMode, embedSuffixesOf } from "../../teachers/suffixes.ts";
import { openTeacher } from "../../teachers/teacher.ts";
import { holds } from "../property.ts";
import { tinyModel, tinyTeacher, tinyTokenizer, tinyVocabulary } from "./tiny.ts";

/** Pieces of each token of the tiny vocabulary, by hand. */
const PIECES = [[3], [2], [7], [4, 5], [8], [4, 6], [9], [3]];

const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

Deno.test("words become their own pieces; unknown words, ends and escapes what stands for them", () => {
  const { config, tokenizer } = tinyTeacher("encoder");
  const { offsets, pieces } = alignTokens(tinyVocabulary, config, pieceTokenizer(tokenizer!));
  assert.deepEqual(
    PIECES.map((_, token) => [...pieces.subarray(offsets[token], offsets[token + 1])]),
    PIECES,
  );
});

Deno.test("a corpus in the teacher's own pieces needs no words; other pieces and characters are refused", () => {
  const { config } = tinyTeacher("encoder");
  const own = pieceTokenizer(tinyTokenizer);
  const { pieces } = alignTokens(own.vocabulary, config, own);
  assert.deepEqual([...pieces], [...own.vocabulary.words.keys()]);
  assert.deepEqual([...alignTokens(tinyVocabulary, config, undefined).pieces], [0, 1, 2, 3, 4, 5, 6, 7]);
  const other = { ...own.vocabulary, words: own.vocabulary.words.slice(1) };
  assert.throws(
    () => alignTokens(other, config, own),
    /the pieces of another tokenizer than that of tiny encoder/,
  );
  assert.throws(
    () => alignTokens({ ...tinyVocabulary, kind: "characters" }, config, own),
    /tiny encoder has pieces of words: it cannot embed a corpus in characters/,
  );
  // A character of Chinese is what tokenizers cut by itself, whatever stands beside it.
  const chinese = pieceTokenizer(tinyTokenizer.replace('"it"', '"東"').replace('"cats"', '"京"'));
  const id = (piece: string) => chinese.vocabulary.words.indexOf(piece);
  const characters = {
    kind: "characters",
    words: ["<unk>", "<eos>", "東", "京", "a"],
    unknown: 0,
    end: 1,
  } as const;
  const cuts = alignTokens(characters, config, chinese);
  assert.deepEqual([...cuts.pieces.subarray(cuts.offsets[2], cuts.offsets[4])], [id("東"), id("京")]);
});

/** What each mode should give, by its definition: for the suffix that begins at `t`, the two numbers of its vector. */
function expected(
  tokens: readonly number[],
  t: number,
  mode: EmbeddingMode,
  decay: number,
  state: CausalState,
  start: readonly number[],
): [number, number] {
  const pieces = tokens.map((token) => PIECES[token]!);
  const decayed = (numbers: readonly number[]) => {
    const weights = numbers.map((_, i) => decay ** i);
    return numbers.reduce((sum, x, i) => sum + x * weights[i]!, 0) / weights.reduce((a, b) => a + b);
  };
  if (mode === "suffix") {
    const all = [1, ...pieces.slice(t).flat(), 2];
    return [decay === 1 ? mean(all) : decayed(pieces.slice(t).map(mean)), mean(all)];
  }
  if (mode === "causal") {
    const before = [...start, ...pieces.slice(0, state === "before" ? t : t + 1).flat()];
    return [before.at(-1)!, mean(before)];
  }
  return [decayed(pieces.slice(t).map(mean)), mean([1, ...pieces.flat(), 2])];
}

Deno.test("every mode gives what its definition says, however sequences are batched and windows padded", async (test) => {
  await using encoder = await openTeacher(tinyTeacher("encoder"), { threads: 1 });
  await using causal = await openTeacher(tinyTeacher("causal"), { threads: 1 });
  await holds(
    test,
    fc.asyncProperty(
      fc.constantFrom<EmbeddingMode>("suffix", "cumulative", "causal"),
      fc.array(fc.array(fc.nat(PIECES.length - 1), { maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(1, 0.5, 0),
      fc.constantFrom<CausalState>("before", "after"),
      fc.constantFrom<number[] | undefined>(undefined, [3], [7, 4, 5]),
      async (mode, windows, batchPieces, decay, state, start) => {
        // What a language model's texts begin after, a prompt of two pieces in one case, stands before them here too.
        const config = { ...causal.config, ...(start !== undefined && { start }) };
        const teacher = mode === "causal" ? { ...causal, config } : encoder;
        const variables = Math.max(1, ...windows.map((tokens) => tokens.length));
        const values = new Int32Array(windows.length * variables);
        const observed = new Uint8Array(values.length);
        windows.forEach((tokens, w) => {
          values.set(tokens, w * variables);
          observed.fill(1, w * variables, w * variables + tokens.length);
        });
        const rows = { count: windows.length, variables, values, observed };
        const vectors = await embedSuffixesOf(teacher, teacher.align(tinyVocabulary), rows, {
          mode,
          batchPieces,
          decay,
          state,
        });
        windows.forEach((tokens, w) => {
          for (let t = 0; t < variables; t++) {
            const at = 2 * (w * variables + t);
            const found = [...vectors.subarray(at, at + 2)];
            const wanted = t < tokens.length ? expected(tokens, t, mode, decay, state, start ?? [1]) : [0, 0];
            found.forEach((x, i) =>
              assert.ok(Math.abs(x - wanted[i]!) < 1e-5, `${mode} ${t}: ${found}, not ${wanted}`)
            );
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("without a piece that begins texts there is no state before the first one", async () => {
  await using causal = await openTeacher(tinyTeacher("causal"), { threads: 1 });
  const bare = { ...causal, config: { ...causal.config, before: [] } };
  const rows = { count: 1, variables: 1, values: Int32Array.of(2) };
  const embed = (state: CausalState) =>
    embedSuffixesOf(bare, causal.align(tinyVocabulary), rows, { mode: "causal", state });
  assert.deepEqual([...await embed("after")], [7, 7]);
  await assert.rejects(embed("before"), /tiny causal has no state before the first piece of a text/);
});

Deno.test("a window of too many pieces loses the ends of its longest words, or is refused", async () => {
  await using teacher = await openTeacher(tinyTeacher("encoder", 5), { threads: 1 });
  const align = teacher.align(tinyVocabulary);
  const embed = (tokens: number[]) =>
    embedSuffixesOf(
      teacher,
      align,
      { count: 1, variables: tokens.length, values: Int32Array.from(tokens) },
      { mode: "cumulative" },
    );
  // Room for three pieces: `unseen unseen it` has five, so both words keep their first piece alone.
  assert.deepEqual(
    [...await embed([3, 3, 6])].filter((_, i) => i % 2 === 0).map((x) => Math.round(x * 1e4) / 1e4),
    [
      5.6667,
      6.5,
      9,
    ],
  );
  await assert.rejects(embed([2, 2, 2, 2]), /a window of 4 tokens has 4 pieces, tiny encoder takes 3/);
});

Deno.test("modes that a teacher cannot do are refused in words", async () => {
  await using teacher = await openTeacher(tinyTeacher("encoder"), { threads: 1 });
  const rows = { count: 1, variables: 1, values: Int32Array.of(2) };
  const align = teacher.align(tinyVocabulary);
  await assert.rejects(
    embedSuffixesOf(teacher, align, rows, { mode: "causal" }),
    /tiny encoder is not causal/,
  );
  await assert.rejects(
    embedSuffixesOf(teacher, align, rows, { mode: "masked" }),
    /cannot restrict what a piece sees/,
  );
  await assert.rejects(embedSuffixesOf(teacher, align, rows, { mode: "suffix", decay: 2 }), /decay is 2/);
  await assert.rejects(
    openTeacher({ ...tinyTeacher("encoder"), model: Uint8Array.of(1, 2, 3) }),
    /the graph of tiny encoder cannot be used/,
  );
  const wrong = tinyTeacher("encoder");
  await using narrow = await openTeacher({ ...wrong, config: { ...wrong.config, width: 3 } }, { threads: 1 });
  await assert.rejects(
    embedSuffixesOf(narrow, align, rows, { mode: "suffix" }),
    /has the shape \[1, 3, 2\], expected \[1, 3, 3\]/,
  );
});

Deno.test("graph and tokenizer describe a teacher, and say what is missing", async () => {
  const describe = (model: Uint8Array, output?: string) =>
    describeTeacher(model, tinyTokenizer, {
      name: "tiny encoder",
      causal: false,
      longest: 100,
      ...(output !== undefined && { output }),
    });
  assert.deepEqual(await describe(tinyModel("encoder")), tinyTeacher("encoder").config);
  assert.equal((await describe(tinyModel("encoder"), "first")).output, "first");
  await assert.rejects(
    describe(tinyModel("encoder"), "second"),
    /has no output `second` with vectors of tokens; it has last_hidden_state float32 \[batch, tokens, 2\]; first/,
  );
});
