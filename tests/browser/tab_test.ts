import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import {
  decodeImageModel,
  fitText,
  openImageModel,
  openTextModel,
  prepareText,
  tabEngines,
  type TextTraining,
  trainInTab,
} from "../../browser/mod.ts";
import { decodeTextModel, encodeTextModel } from "../../browser/model_file.ts";
import { encodeCircuitFile, hmm, loadCircuit, RetortError } from "../../circuits/mod.ts";
import { openEngine } from "../../kernels/open.ts";
import { bundleForBrowsers } from "../../web/bundle.ts";
import { IN_BROWSER } from "../web/browser.ts";
import { smallImages, smallModel } from "../web/playground.ts";
import { vocabularies } from "../control/vocabularies.ts";
import { addressesText } from "./addresses.ts";
import { likely } from "./page.ts";
import { madeUpText } from "./text.ts";

const known = vocabularies.WordPiece!;

/** Chromium with WebGPU on its own software driver. */
const FLAGS = [
  ...[
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan,WebGPU",
    "--use-vulkan=swiftshader",
  ],
  ...["--use-webgpu-adapter=swiftshader", "--disable-vulkan-surface"],
];

/** The page of docs/playground.md as a module, with the file of `retort/browser` in its place. */
async function documented(folder: string): Promise<URL> {
  const page = await Deno.readTextFile(new URL("../../docs/playground.md", import.meta.url));
  const [, code] = /## A page of your own[^]*?```ts\n([^]*?)```/.exec(page)!;
  assert.ok(code!.trim().split("\n").length <= 30, "thirty lines");
  const own = new URL("../../browser/mod.ts", import.meta.url).pathname;
  await Deno.writeTextFile(`${folder}/documented.ts`, code!.replace('"retort/browser"', JSON.stringify(own)));
  return new URL(`file://${folder}/documented.ts`);
}

/** Nats a token by epoch, of five by the engine `cpu`. */
async function scoresOf(training: TextTraining): Promise<number[]> {
  await using engine = await openEngine(training.start, { engine: "cpu", threads: 1 });
  const nats: number[] = [];
  await fitText(engine, training, {
    epochs: 5,
    onEpoch: ({ perplexity }) => nats.push(Math.log(perplexity)),
  });
  return nats;
}

Deno.test({
  name:
    "in a tab five epochs come to the scores of the engine cpu, with WebGPU, with WebAssembly and with neither",
  ...IN_BROWSER,
  async fn() {
    const wanted = await scoresOf(await prepareText(madeUpText(300), { states: 6, length: 12 }));
    const { bytes: pieces } = encodeTextModel({
      circuit: hmm({ length: 8, states: 3, symbols: known.words.length, seed: 1 }),
      vocabulary: known,
      story: { title: "", provenance: [], examples: [] },
    });
    const folder = await Deno.makeTempDir();
    const scripts = await bundleForBrowsers(
      [new URL("page.ts", import.meta.url), await documented(folder)],
      "esm",
    );
    await Deno.remove(folder, { recursive: true });
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
      const { pathname, searchParams } = new URL(url), script = scripts.get(pathname.slice(1));
      if (script !== undefined) {
        return new Response(script.text, { headers: { "content-type": "text/javascript" } });
      }
      if (pathname === "/pieces.retort") return new Response(pieces);
      if (pathname === "/mine.retort") return new Response(smallModel("mine", 1).bytes);
      const main = searchParams.has("documented") ? "documented" : "page";
      // A page may forbid WebAssembly.
      const wasm = searchParams.has("strict") ? "" : " 'wasm-unsafe-eval'";
      return new Response(
        `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${main}.js"></script>`,
        {
          headers: { "content-type": "text/html", "content-security-policy": `script-src 'self'${wasm}` },
        },
      );
    });
    const browser = await chromium.launch({
      executablePath: Deno.env.get("RETORT_CHROMIUM") ?? "/usr/bin/chromium",
      args: FLAGS,
    });
    try {
      const page = await browser.newPage();
      const results: { name: string; nats: number[]; shares: number[][] }[] = [];
      for (const [choice, query] of [["webgpu", ""], ["auto", ""], ["auto", "?strict"]] as const) {
        await page.goto(`http://127.0.0.1:${server.addr.port}/${query}`);
        await page.waitForFunction("globalThis.trained !== undefined");
        results.push(
          await page.evaluate(`trained("${choice}")`) as {
            name: string;
            nats: number[];
            shares: number[][];
          },
        );
      }
      assert.deepEqual(results.map(({ name }) => name), ["webgpu", "wasm", "reference"]);
      for (const { name, nats, shares } of results) {
        assert.equal(nats.length, wanted.length, name);
        nats.forEach((x, epoch) =>
          assert.ok(Math.abs(x - wanted[epoch]!) < 1e-5, `${name}, epoch ${epoch}: ${x}`)
        );
        shares.flat().forEach((p, i) => assert.ok(Math.abs(p - results[2]!.shares.flat()[i]!) < 1e-5, name));
      }
      // A real text, learned as the page does by itself.
      const text = await addressesText(), real = await scoresOf(await prepareText(text));
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);
      await page.waitForFunction("globalThis.scores !== undefined");
      const inTab = await page.evaluate(`scores("wasm", ${JSON.stringify(text)})`) as number[];
      assert.equal(inTab.length, real.length);
      inTab.forEach((x, epoch) =>
        assert.ok(Math.abs(x - real[epoch]!) < 1e-5, `epoch ${epoch}: ${x}, ${real[epoch]}`)
      );
      assert.ok(real.at(-1)! < real[0]! - 2, "it has learned");
      // A vocabulary with a tokenizer is read as under Deno; what reads it is loaded then.
      const early = [...scripts.get("page.js")!.imports, "page.js"].map((name) => scripts.get(name)!.text);
      assert.ok(!early.some((text) => text.includes("WordPiece")));
      // A page of one's own waits for as much script as it needs.
      const own = ["documented.js", ...scripts.get("documented.js")!.imports];
      const size = own.reduce((sum, name) => sum + scripts.get(name)!.text.length, 0);
      assert.ok(size <= 140_000, `${size} bytes of script`);
      assert.deepEqual(
        await page.evaluate('likely("/pieces.retort", "it _ cats")'),
        await likely(pieces, "it _ cats"),
      );
      // The page of docs/playground.md, with a model under the name that it asks for.
      await page.goto(`http://127.0.0.1:${server.addr.port}/?documented`);
      await page.locator("li").waitFor();
      assert.match(await page.innerText("li"), /^(?:\S+ \d+\.\d %(?:, |$)){5}$/);
      assert.match(await page.innerText("p"), /^for example: we must/);
      await page.getByLabel("a sentence with blanks").fill("_ _ it.");
      await page.locator("li").nth(1).waitFor();

      assert.ok(wanted.at(-1)! < wanted[0]! - 0.5, "it has learned");
    } finally {
      await browser.close();
      await server.shutdown();
    }
  },
});

Deno.test("what is trained in a tab is a file that `loadCircuit` reads and that can be asked", async () => {
  const epochs: number[] = [];
  const file = await trainInTab(madeUpText(200), {
    ...{ states: 6, length: 12, epochs: 3, engine: "wasm", title: "mine" },
    onEpoch: ({ epoch }) => epochs.push(epoch),
  });
  assert.deepEqual(epochs, [0, 1, 2, 3]);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/mine.retort`, encodeTextModel(file).bytes);
    assert.deepEqual((await loadCircuit(`${folder}/mine.retort`)).nodes, file.circuit.nodes);
    const bytes = await Deno.readFile(`${folder}/mine.retort`);
    for (const engine of tabEngines.filter((one) => one !== "webgpu")) {
      await using model = await openTextModel(bytes, { engine });
      assert.equal(model.story.title, "mine");
      const { blanks, drawn } = await model.ask("the _ nation keeps _.", { draws: 2 });
      assert.equal(blanks.length, 2);
      assert.ok(
        !blanks.some(({ words }) => words.some(({ word }) => word === "<eos>")),
        "no end in the middle",
      );
      assert.equal(drawn.length, 2);
      assert.equal((await model.draw(3, { seed: 1 })).length, 3);
      // States are used as often as texts are long, and their words are those that a grammar puts at the same place.
      const states = await model.states({ words: 4 });
      assert.ok(Math.abs(states.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-5);
      assert.deepEqual(
        states.map(({ share }) => share),
        states.map(({ share }) => share).toSorted((a, b) => b - a),
      );
      const { state, words: [{ word, probability, lift }] } = states[0] as Required<typeof states[0]> & {
        words: [typeof states[0]["words"][number]];
      };
      const emission = model.circuit.parameters.get("emission")!.values,
        id = model.vocabulary.words.indexOf(word);
      assert.equal(probability, emission[state * model.vocabulary.words.length + id]);
      assert.ok(lift > 1);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a training that is stopped keeps what was reached", async () => {
  const stop = new AbortController();
  const { story } = await trainInTab(madeUpText(200), {
    ...{ states: 4, length: 12, engine: "wasm" },
    signal: stop.signal,
    onEpoch: ({ epoch }) => epoch === 1 && stop.abort(),
  });
  assert.match(story.provenance.at(-1)![1], /not converged/);
});

Deno.test("wrong, hostile and huge files are refused in words for people", async () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 4 });
  const refused = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => decodeTextModel(bytes, "that"), (error) => {
      assert.ok(error instanceof RetortError);
      assert.match(error.message, message);
      return true;
    });
  refused(new TextEncoder().encode("<html>not found</html>"), /header should have/);
  refused(new Uint8Array(3), /too few for a header/);
  refused(encodeCircuitFile(circuit).bytes, /without a vocabulary/);
  const withText = (vocabulary: unknown) =>
    encodeCircuitFile(circuit, { metadata: { vocabulary: JSON.stringify(vocabulary) } }).bytes;
  refused(
    withText({ kind: "words", words: ["a"], unknown: 0, end: null }),
    /not a model of texts over 1 words/,
  );
  refused(
    withText({ kind: "words", words: ["a", "b", "c", 4], unknown: 0, end: null }),
    /without a vocabulary/,
  );
  refused(
    withText({ kind: "words", words: ["a", "b", "c", "d"], unknown: 9, end: null }),
    /without a vocabulary/,
  );
  refused(encodeCircuitFile(circuit, { metadata: { vocabulary: "{" } }).bytes, /is not JSON/);
  // A header that promises much more than there is allocates nothing.
  const huge = new Uint8Array(64);
  new DataView(huge.buffer).setBigUint64(0, 1n << 40n, true);
  refused(huge, /header should have/);
  await assert.rejects(prepareText("too short"), /too few to learn from/);
  await assert.rejects(prepareText("a ".repeat(11_000_000)), /a tab takes/);
});

Deno.test("a model of images fills holes on every engine alike; damaged, foreign and huge files are refused in words", async () => {
  const { bytes } = smallImages("pixels");
  const hidden = new Uint8Array(16).fill(1, 4, 9);
  const bits: (number | null)[] = [];
  for (const engine of tabEngines.filter((one) => one !== "webgpu")) {
    await using model = await openImageModel(bytes, { engine });
    const answer = await model.fill(2, { hidden, draws: 3 });
    bits.push(answer.bits);
    // What is seen stays as it is, in every draw.
    for (const { pixels } of answer.drawn) {
      pixels.forEach((grey, i) => hidden[i] === 0 && assert.equal(grey, answer.original.pixels[i]));
    }
    assert.equal(answer.hidden, 5);
    assert.equal(answer.drawn.length, 3);
    const pixels = model.images.pixels.slice(32, 48) as Uint8Array;
    assert.deepEqual(await model.fill(pixels, { hidden, draws: 3 }), answer);
    assert.deepEqual((await model.fill(0)).bits, null);
    await assert.rejects(model.fill(5), /there is no image 5: the model has 5/);
    await assert.rejects(model.fill(new Uint8Array(3)), /an image of 3 values, expected 16/);
    await assert.rejects(model.fill(0, { hidden: new Uint8Array(3) }), /has 3 pixels, expected 16/);
  }
  bits.forEach((one) => assert.ok(Math.abs(one! - bits[0]!) < 1e-4));
  const { circuit } = decodeImageModel(bytes, "it");
  const refused = (images: unknown, message: RegExp) =>
    assert.throws(
      () =>
        decodeImageModel(
          encodeCircuitFile(circuit, { metadata: { images: JSON.stringify(images) } }).bytes,
          "it",
        ),
      (error) => error instanceof RetortError && message.test(error.message),
    );
  const images = { height: 4, width: 4, channels: 1, levels: [3], transform: "none", count: 1 };
  const pixels = new Uint8Array(16).toBase64();
  decodeImageModel(
    encodeCircuitFile(circuit, { metadata: { images: JSON.stringify({ ...images, pixels }) } }).bytes,
    "it",
  );
  for (
    const wrong of [
      { pixels: "no base64!" },
      { pixels: new Uint8Array(15).toBase64() },
      { pixels: new Uint8Array(16).fill(3).toBase64() },
      { height: 1e9 },
      { count: 1e6 },
      { channels: 2 },
      { levels: [0] },
      { transform: "__proto__" },
    ]
  ) refused({ ...images, pixels, ...wrong }, /without images/);
  refused(
    { ...images, width: 5, pixels: new Uint8Array(20).toBase64() },
    /not a model of images of 20 values/,
  );
  refused({ ...images, levels: [4], pixels }, /not a model of images of 16 values/);
  assert.throws(() => decodeImageModel(smallModel("text", 1).bytes, "it"), /without images/);
  assert.throws(() => decodeTextModel(bytes, "it"), /without a vocabulary/);
});
