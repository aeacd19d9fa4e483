import assert from "node:assert/strict";
import { REFERENCE } from "../../foundation/palette.ts";
import { inflateSync } from "node:zlib";
import { ReferenceEvaluator } from "../../circuits/mod.ts";
import { conditionalMean } from "../../circuits/queries/conditional.ts";
import { marginal } from "../../circuits/queries/likelihood.ts";
import type { Samples } from "../../circuits/samples.ts";
import { END } from "../../datasets/text/vocabulary.ts";
import { artifactReader } from "../../runner/store/artifacts.ts";
import { Records } from "../../runner/records/records.ts";
import { resolveArtifact } from "../../runner/references.ts";
import { Store } from "../../runner/store/store.ts";
import { circuit } from "../../stages/codecs/circuit.ts";
import { encodeMask } from "../../web/parts/masks.ts";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { Explorer } from "../../web/explorer/explorer.ts";
import type { Question } from "../../web/explorer/protocol.ts";
import { command, fixture, Folder } from "../command.ts";
import { MARKUP } from "../fixtures/pipelines/shown.ts";
import { toyImages } from "../stages/images/toy.ts";

// deno-lint-ignore no-explicit-any -- JSON of several addresses, checked below
type Any = any;

const WORDS = ["<unk>", "<eos>", "to", "be", "or", "not", MARKUP];

/** A store with models, served. */
async function served() {
  const folder = new Folder();
  const run = await command("run", [fixture("explored"), "--store", folder.store]);
  assert.equal(run.code, 0, run.stderr);
  const store = Store.open(folder.store);
  const dashboard = await serveDashboard(store);
  const records = new Records(store, { readOnly: true });
  return {
    store,
    artifact: (name: string) => resolveArtifact(records, name).artifact,
    async json(path: string, query: Record<string, unknown>): Promise<Any> {
      const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
      const response = await fetch(`${dashboard.url}api/${path}?${search}`);
      return { status: response.status, ...await response.json() };
    },
    async [Symbol.asyncDispose]() {
      records.close();
      await dashboard[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

type Served = Awaited<ReturnType<typeof served>>;

/** Grey levels of a picture of the explorer. */
function greyOf(url: string): number[] {
  const png = Uint8Array.fromBase64(url.split(",")[1]!);
  const view = new DataView(png.buffer);
  const [width, height, size] = [view.getUint32(16), view.getUint32(20), view.getUint32(33)];
  const lines = inflateSync(png.subarray(41, 41 + size));
  return Array.from(
    { length: width * height },
    (_, i) => lines[Math.floor(i / width) * (width + 1) + 1 + i % width]!,
  );
}

function near(a: number, b: number) {
  assert.ok(Math.abs(a - b) < 1e-5, `${a} is not ${b}`);
}

async function about(one: Served) {
  const of = (name: string) => one.json("explore", { digest: one.artifact(name).digest });
  const text = await of("text");
  assert.deepEqual([text.colour, text.sentences], [0, ["to _ or not"]]);
  const pixels = await of("pixels");
  assert.deepEqual(pixels.sentences, []);
  assert.deepEqual(
    pixels.others.map((other: Any) => [other.name, other.colour]),
    [["patches", REFERENCE]],
    "it is of no arm",
  );
}

async function texts(one: Served) {
  const { digest } = one.artifact("text");
  assert.equal((await one.json("artifact", { digest })).explorable.kind, "text");
  const model = await circuit.read(artifactReader(one.store.blobs, one.artifact("text")));
  const reference = new ReferenceEvaluator(model);

  // <eos> to _ or _ , open at its end, capitals made small.
  const values = Int32Array.of(1, 2, 0, 4, 0, 0, 0, 0), observed = Uint8Array.of(1, 1, 0, 1, 0, 0, 0, 0);
  const samples: Samples = { count: 1, variables: 8, values, observed };
  const asked = { digest, sentence: "To _ or _", ends: false, list: 7, draws: 3, seed: 1 };
  const answer = await one.json("ask", asked);
  assert.equal(answer.status, 200, answer.error);
  // Every pair of words by itself: what the reference gives the whole sentence, pairs with an end left out.
  const rows = [new Float64Array(7), new Float64Array(7)];
  for (let a = 0; a < 7; a++) {
    for (let b = 0; b < 7; b++) {
      if (a === 1 || b === 1) continue;
      const filled = {
        ...samples,
        values: Int32Array.of(1, 2, a, 4, b, 0, 0, 0),
        observed: Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0),
      };
      const p = Math.exp((await marginal(reference, filled, [0, 1, 2, 3, 4]))[0]!);
      rows[0]![a]! += p;
      rows[1]![b]! += p;
    }
  }
  for (const [i, row] of rows.entries()) {
    const total = row.reduce((a, b) => a + b);
    assert.equal(answer.blanks[i].words.length, 7);
    for (const { word, probability } of answer.blanks[i].words) {
      near(probability, row[word === END ? 1 : WORDS.indexOf(word)]! / total);
    }
    near(
      answer.blanks[i].entropy,
      row.reduce((sum, p) => p === 0 ? sum : sum - p / total * Math.log2(p / total), 0),
    );
  }
  // The likeliest filling of both blanks at once, by words that are known, against every pair.
  const best = await one.json("ask", { ...asked, likeliest: true });
  let most = { p: 0, a: 0, b: 0 }, all = 0;
  for (let a = 0; a < 7; a++) {
    for (let b = 0; b < 7; b++) {
      if (a === 1 || b === 1) continue;
      const filled = {
        ...samples,
        values: Int32Array.of(1, 2, a, 4, b, 0, 0, 0),
        observed: Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0),
      };
      const p = Math.exp((await marginal(reference, filled, [0, 1, 2, 3, 4]))[0]!);
      all += p;
      if (a !== 0 && b !== 0 && p > most.p) most = { p, a, b };
    }
  }
  assert.equal(best.likeliest.text, `to ${WORDS[most.a]} or ${WORDS[most.b]}`);
  near(best.likeliest.probability, most.p / all);
  assert.equal(best.likeliest.exact, true);
  assert.equal(best.unknownWord, "<unk>");
  assert.equal(answer.likeliest, null);
  near(answer.bits, -(await marginal(reference, samples, [0, 1, 3]))[0]! / Math.LN2);
  assert.equal(answer.drawn.length, 3);
  const later = await one.json("ask", { ...asked, seed: 2, draws: 16 });
  assert.equal(new Set([...answer.drawn, ...later.drawn]).size > 1, true, "draws differ");
  const closed = await one.json("ask", { ...asked, ends: true });
  assert.equal(closed.given, 4, "both ends and two words");
  const strange = await one.json("ask", { ...asked, sentence: `to whom _ ${MARKUP.split(" ")[0]}` });
  assert.deepEqual(strange.unknown.slice(0, 1), ["whom"]);
  const none = await one.json("ask", { ...asked, sentence: "to be" });
  assert.deepEqual([none.blanks, none.drawn], [[], []]);

  const refused = async (change: Record<string, unknown>, message: RegExp, status = 400) => {
    const bad = await one.json("ask", { ...asked, ...change });
    assert.equal(bad.status, status);
    assert.match(bad.error, message);
  };
  await refused({ sentence: "to _ ".repeat(5) }, /has 11 tokens with its ends/, 422);
  await refused({ sentence: "_".repeat(6000) }, /too long/);
  await refused({ list: -1 }, /list is "-1"; expected a whole number/);
  await refused({ draws: 1e6 }, /draws is "1000000"/);
  await refused({ seed: "x" }, /seed is "x"/);
  await refused({ digest: one.artifact("test").digest }, /not a model of text or images/, 422);
  await refused({ digest: "0123456789" }, /nothing is named/, 404);
  assert.equal((await one.json("explore", { digest: one.artifact("test").digest })).explorable, null);
}

async function constraints(one: Served) {
  const { digest } = one.artifact("text");
  const model = await circuit.read(artifactReader(one.store.blobs, one.artifact("text")));
  const reference = new ReferenceEvaluator(model);
  const asked = {
    ...{ digest, ask: "control", constraint: 'inOrder(" be", " not")', begun: "to" },
    ...{ tokens: 3, list: 10, draws: 16, seed: 1 },
  };
  const answer = await one.json("ask", asked);
  assert.equal(answer.status, 200, answer.error);
  // Every text of up to three words after "to" that has "be" and then "not", and its end.
  const next = new Map<string | null, number>();
  let total = 0, given = 0;
  const probability = async (tokens: number[]) => {
    const values = Int32Array.from({ length: 8 }, (_, i) => tokens[i] ?? 0);
    const sample = { count: 1, variables: 8, values };
    return Math.exp((await marginal(reference, sample, [...tokens.keys()]))[0]!);
  };
  const texts: number[][] = [[]];
  for (const text of texts) {
    if (text.length < 3) { for (const word of [2, 3, 4, 5, 6]) texts.push([...text, word]); }
    const be = text.indexOf(3);
    if (be < 0 || text.indexOf(5, be) < 0) continue;
    const p = await probability([1, 2, ...text, 1]);
    total += p;
    const word = ` ${WORDS[text[0]!]}`;
    next.set(word, (next.get(word) ?? 0) + p);
  }
  given = await probability([1, 2]);
  near(2 ** -answer.bits, total / given);
  assert.equal(answer.constraint, 'inOrder(" be", " not")');
  assert.deepEqual([answer.tokens, answer.allowed, answer.vocabulary], [1, next.size, 7]);
  for (const { text, probability, alone } of answer.next) {
    near(probability, next.get(text)! / total);
    near(
      alone,
      await one.json("ask", { ...asked, constraint: "all()" }).then((free) =>
        free.next.find((other: Any) => other.text === text).alone
      ),
    );
  }
  assert.equal(answer.drawn.length, 16);
  for (const text of answer.drawn) assert.match(text, /^ .*be\b.* not/);
  const over = await one.json("ask", { ...asked, begun: "to be or not", tokens: 0 });
  assert.deepEqual(over.next.map(({ text, probability }: Any) => [text, probability]), [[null, 1]]);

  const refused = async (change: Record<string, unknown>, message: RegExp, status = 422) => {
    const bad = await one.json("ask", { ...asked, ...change });
    assert.equal(bad.status, status);
    assert.match(bad.error, message);
  };
  await refused({ constraint: 'inOrder(" be"' }, /ends too early at letter 14, expected `,`/);
  await refused({ constraint: '" whom"' }, /tokens of this vocabulary cannot spell it/);
  await refused(
    { constraint: "words(9)" },
    /after the prompt, words\(9, 9\) needs 4 tokens at least, and 3 are allowed/,
  );
  await refused({ constraint: 'not("to")' }, /the prompt breaks not\("to"\)/);
  await refused({ begun: "whom" }, /has no tokens for the prompt "whom"/);
  await refused({ tokens: 1000 }, /tokens is "1000"/, 400);
  await refused({ constraint: "_".repeat(6000) }, /too long/, 400);
}

async function pictures(one: Served) {
  const mask = Uint8Array.from({ length: 16 }, (_, i) => i === 1 || i > 9 ? 1 : 0);
  const hidden = encodeMask(mask);
  const { pixels } = toyImages(3, 2);
  const image = pixels.slice(16, 32);
  const level = (x: number) => Math.round(x * 255 / 3);
  for (const name of ["pixels", "patches"]) {
    const { digest } = one.artifact(name);
    const shown = await one.json("artifact", { digest });
    const kinds = shown.previews.map(({ file, preview }: Any) => `${file} ${preview.kind}`);
    assert.deepEqual(
      kinds,
      name === "pixels"
        ? ["circuit.json circuit"]
        : ["patch-0/circuit.json circuit", "top/circuit.json circuit", "patches.json value"],
    );
    const { explorable } = shown;
    assert.deepEqual([explorable.kind, explorable.height, explorable.width], ["images", 4, 4]);
    assert.deepEqual(explorable.sets.map((set: Any) => set.count), [3, 5], "unseen images first");
    const set = explorable.sets[0].digest;
    const asked = { digest, set, image: 1, hidden, draws: 2, seed: 3 };
    const answer = await one.json("ask", asked);
    assert.equal(answer.status, 200, answer.error);
    assert.equal(answer.hidden, 7);
    assert.ok(answer.bits > 0);
    assert.deepEqual(greyOf(answer.original), [...image].map(level));
    const drawn = answer.drawn.map(greyOf), mean = greyOf(answer.mean);
    assert.equal(drawn.length, 2);
    mask.forEach((isHidden, i) => {
      if (isHidden === 0) {
        for (const picture of [...drawn, mean]) assert.equal(picture[i], level(image[i]!));
      } else for (const picture of drawn) assert.ok([0, 85, 170, 255].includes(picture[i]));
    });
    if (name === "pixels") {
      const model = await circuit.read(artifactReader(one.store.blobs, one.artifact(name)));
      const samples: Samples = { count: 1, variables: 16, values: image };
      const chosen = [...mask.keys()].filter((i) => mask[i] === 1);
      const truth = await conditionalMean(new ReferenceEvaluator(model), samples, chosen);
      for (const [v, [value]] of truth) assert.equal(mean[v], level(Math.round(value!)));
    }
    const nothing = await one.json("ask", { ...asked, hidden: encodeMask(new Uint8Array(16)) });
    assert.deepEqual([nothing.hidden, nothing.bits, nothing.drawn], [0, null, []]);
    for (
      const [change, message, status] of [
        [{ image: 3 }, /image is "3"; expected a whole number from 0 to 2/, 400],
        [{ hidden: "####" }, /not base64url/, 422],
        [{ hidden: "AAAA" }, /24 bits for 16 pixels/, 422],
        [{ set: "../../x" }, /no such set/, 422],
        [{ set: digest }, /no such set/, 422],
      ] as const
    ) {
      const bad = await one.json("ask", { ...asked, ...change });
      assert.equal(bad.status, status);
      assert.match(bad.error, message);
    }
  }
}

async function processes(one: Served) {
  await using explorer = new Explorer();
  const question = (sentence: string, more: Partial<Question> = {}) => ({
    kind: "text",
    model: one.artifact("text"),
    vocabulary: one.artifact("words:vocabulary"),
    sentence,
    ...{ ends: true, list: 1, draws: 1, seed: 0, likeliest: false },
    ...more,
  } as Question);
  const ask = (asked: Question, asker = "me") => explorer.ask(one.store.root, asked, asker);
  const first = ask(question("to _"));
  const dropped = ask(question("be _"));
  const [last, another] = [ask(question("or _")), ask(question("_"), "somebody else")];
  await assert.rejects(dropped, /another question came/);
  assert.equal((await another).kind, "text");
  assert.equal((await first).kind, "text");
  assert.equal((await last).kind, "text");

  await assert.rejects(
    ask(question("_", { model: one.artifact("pixels") })),
    /not a model of texts over 7 words/,
  );
  const lost = one.artifact("text");
  const files = lost.files.map((file) => ({ ...file, digest: "0".repeat(64) }));
  await assert.rejects(
    ask(question("_", { model: { ...lost, digest: "0".repeat(64), files } as Any })),
    /object 000000000000/,
  );
  assert.equal((await ask(question("_"))).kind, "text", "it goes on");

  // Idle, its process ends; a question that comes while it does starts another.
  const { Command } = Deno;
  let started = 0;
  Deno.Command = class extends Command {
    override spawn() {
      started++;
      return super.spawn();
    }
  };
  try {
    await using hasty = new Explorer(0);
    for (const sentence of ["to _", "not _"]) {
      assert.equal((await hasty.ask(one.store.root, question(sentence), "me")).kind, "text");
      await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    Deno.Command = Command;
  }
  assert.equal(started, 2);
}

Deno.test("the explorer", async (t) => {
  await using one = await served();
  await t.step("says what a run asked itself, and which arm a model is of", () => about(one));
  await t.step("answers as the reference does; what does not fit is refused", () => texts(one));
  await t.step("says what comes next under a constraint, as enumeration does", () => constraints(one));
  await t.step(
    "expects of pixels what the reference does, also by patches; masks are checked",
    () => pictures(one),
  );
  await t.step("goes on when its process ends; who asks again gives up what waits", () => processes(one));
});
