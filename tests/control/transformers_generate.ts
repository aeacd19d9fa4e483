/**
 * Draws through `generate` of transformers.js itself, and checks what comes of it: run by `transformers_test.ts` in a process of its own.
 * The library is named at run time, so that neither its types nor its dependencies are those of the project.
 */
import assert from "node:assert/strict";
import { accepts, anyOf, openControl, tokenHmm } from "../../control/mod.ts";
import { spellingOf } from "../../control/pieces/spelling.ts";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import { languageModel, LOGITS, logitTable, PIECES } from "../teachers/tiny_language_model.ts";
import { tinyTokenizer } from "../teachers/tiny.ts";
import { codeBlocksOf } from "../docs/code_blocks.ts";
import { allowedTexts } from "./brute_force.ts";
import { chiSquare } from "./language_models.ts";

/** The bigram model of the tiny graph as an HMM: the hidden state is the piece that comes next. */
function bigramHmm(first: number) {
  const transition = new Float64Array(PIECES * PIECES), emission = new Float64Array(PIECES * PIECES);
  for (let from = 0; from < PIECES; from++) {
    const weights = Float64Array.from(
      { length: PIECES },
      (_, to) => Math.exp(logitTable[from * LOGITS + to]!),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    weights.forEach((weight, to) => transition[from * PIECES + to] = weight / total);
    emission[from * PIECES + from] = 1;
  }
  return { initial: transition.slice(first * PIECES, (first + 1) * PIECES), transition, emission };
}

/** A tensor of transformers.js. */
interface Tensor {
  tolist(): bigint[][];
}

/** What is used of transformers.js. */
interface Transformers {
  readonly AutoModelForCausalLM: {
    from_pretrained(name: string, options: object): Promise<{
      generate(options: object): Promise<Tensor>;
      dispose(): Promise<unknown>;
    }>;
  };
  readonly Tensor: new (type: string, data: BigInt64Array, dims: number[]) => Tensor;
  readonly env: { localModelPath: string; allowRemoteModels: boolean };
  readonly random: { seed(seed: number): void };
}

const PACKAGE = "npm:@huggingface/transformers@4.3.2";
const { AutoModelForCausalLM, Tensor, env, random } = await import(PACKAGE) as Transformers;

const folder = Deno.makeTempDirSync({ prefix: "retort-transformers-" });
Deno.mkdirSync(`${folder}/tiny/onnx`, { recursive: true });
const { model: graph } = await languageModel(true, false);
Deno.writeFileSync(`${folder}/tiny/onnx/model.onnx`, graph);
Deno.writeTextFileSync(
  `${folder}/tiny/config.json`,
  JSON.stringify({
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    n_layer: 1,
    n_head: 1,
    n_embd: 1,
    vocab_size: LOGITS,
    eos_token_id: 2,
    bos_token_id: 1,
  }),
);
Object.assign(env, { localModelPath: folder, allowRemoteModels: false });
try {
  const model = await AutoModelForCausalLM.from_pretrained("tiny", { dtype: "fp32" });
  const vocabulary = pieceTokenizer(tinyTokenizer).vocabulary;
  const numbers = bigramHmm(1);
  const hmm = tokenHmm(numbers);
  await using control = await openControl(hmm, vocabulary);
  const constraint = anyOf("cats unseen", "it it", "-");
  const plan = await control.plan(constraint, { tokens: [2, 4] });
  const processors = plan.processor();
  const counts = new Map<string, number>();
  random.seed(11);
  const texts = allowedTexts({
    hmm: numbers,
    spelling: spellingOf(vocabulary),
    constraint,
    least: 2,
    most: 4,
    suffix: [2],
  });
  const rows = 64;
  for (let batch = 0; batch < 20; batch++) {
    const inputs = new Tensor("int64", new BigInt64Array(rows).fill(1n), [rows, 1]);
    const made = await model.generate(
      {
        inputs,
        attention_mask: new Tensor("int64", new BigInt64Array(rows).fill(1n), [rows, 1]),
        do_sample: true,
        top_k: 0,
        max_new_tokens: plan.longest,
        logits_processor: processors,
      } as unknown as Parameters<typeof model.generate>[0],
    ) as Tensor;
    for (const ids of made.tolist()) {
      const tokens = ids.slice(1).map(Number);
      const key = tokens.slice(0, tokens.indexOf(2) + 1).join();
      assert.ok(texts.has(key), `${key}: ${plan.text(tokens)}`);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const shares = new Map([...texts].map(([key, { probability }]) => [key, probability]));
  const { statistic, degrees } = chiSquare(counts, shares);
  assert.ok(degrees > 20 && statistic < degrees + 5 * Math.sqrt(2 * degrees), `${statistic} on ${degrees}`);
  await model.dispose();
  // The program of the documentation, on the same folder.
  const { code } = codeBlocksOf("docs/control.md").find(({ language, code }) =>
    language === "ts" && code.includes("generateTexts")
  )!;
  Deno.writeTextFileSync(
    `${folder}/program.ts`,
    code.replace(/"@huggingface\/transformers"/, `"${PACKAGE}"`),
  );
  const { generateTexts } = await import(`file://${folder}/program.ts`) as {
    generateTexts(
      plan: object,
      models: string,
      name: string,
      start: number,
      count: number,
    ): Promise<string[]>;
  };
  const prompted = await control.plan(constraint, { tokens: [2, 5], prompt: "it" });
  for (const plan of [await control.plan(constraint, { tokens: [2, 4] }), prompted]) {
    const written = await generateTexts(plan, folder, "tiny", 1, 20);
    assert.equal(written.length, 20);
    for (const text of written) assert.ok(accepts(constraint.automaton, text), text);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

console.log("as it should be");
