import { CallError } from "../../foundation/errors.ts";
import { REFERENCE } from "../../foundation/palette.ts";
import { nameInWords, valueText } from "../../foundation/format.ts";
import { measuredNodes } from "../../runner/compare.ts";
import type { Records } from "../../runner/records/records.ts";
import { resolveArtifact } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { type Explorable, explorable } from "../explorer/explorable.ts";
import type { Explorer } from "../explorer/explorer.ts";
import type { Answer, Question } from "../explorer/protocol.ts";
import { roleOf } from "../view/roles.ts";
import type { ArtifactView, NodeView } from "../view/run.ts";
import { type Beside, nodesBeside } from "./beside.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** Another model that can be asked the same question. */
export interface ModelBeside {
  readonly digest: string;
  readonly name: string;
  /** Index of the colour of its arm; of what belongs to none, that of references. */
  readonly colour: number;
}

/** Data of the explorer's page before anything is asked. */
export interface ExplorePageData {
  /** Display name of the model. */
  readonly name: string;
  readonly pipeline: string;
  readonly run: string;
  readonly node: string;
  readonly explorable: Explorable | null;
  /** Facts about it. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Its quality: metrics of its own node and of the nodes that read it. */
  readonly measured: readonly (readonly [name: string, value: string])[];
  /** Index of the colour of its arm; the first where it belongs to none. */
  readonly colour: number;
  /** Models of the same run that can be asked the same questions. */
  readonly others: readonly ModelBeside[];
  /** Sentences with blanks that the run itself has filled in. */
  readonly sentences: readonly string[];
}

/** Maximum number of metrics shown. */
const MEASURED = 12;

/** What can be asked of an artifact, with facts about it and its quality. */
export async function explorePage(store: Store, records: Records, digest: string): Promise<ExplorePageData> {
  const record = resolveArtifact(records, digest);
  const { artifact, node, output, pipeline, run } = record;
  const beside = nodesBeside(store, records, record);
  const common = { pipeline, run, node };
  if (beside === undefined) {
    const nothing = { explorable: null, facts: [], measured: [], colour: 0, others: [], sentences: [] };
    return { ...common, name: `${node}:${output}`, ...nothing };
  }
  const known = explorable(beside.nodes, beside.node, artifact, returnedNames(beside));
  const colours = coloursOf(records, beside);
  return {
    ...common,
    name: nameOf(beside, beside.node, output),
    explorable: known,
    facts: Object.entries(artifact.facts).filter(([, value]) => typeof value !== "object" || value === null)
      .map(([name, value]) => [name, valueText(value)]),
    measured: measuredOf(records, beside, output),
    colour: colours.get(beside.node.name) ?? 0,
    others: othersOf(beside, artifact.digest, known, colours),
    sentences: known?.kind === "text" ? await filledSentences(store, beside) : [],
  };
}

/** Indices of the colours of arms, by the names of their nodes. */
function coloursOf(records: Records, { view }: Beside): ReadonlyMap<string, number> {
  return new Map(
    records.arms(view.run.id).map(({ node, arm }) => [node, roleOf(view.roles, { arm, role: "arm" })]),
  );
}

/** The sentences that the run's own outputs fill in. */
async function filledSentences(store: Store, { view }: Beside): Promise<string[]> {
  const found = new Set<string>();
  for (const { codec, files } of view.nodes.flatMap(({ outputs }) => outputs)) {
    const [file] = files;
    if (codec !== "completions" || file === undefined || file.size > COMPLETIONS) continue;
    try {
      const text = new TextDecoder().decode(await store.blobs.bytes(file.digest, file.size));
      const { completions } = JSON.parse(text) as { completions: readonly { given: string }[] };
      for (const { given } of completions) found.add(given);
    } catch {
      // Damaged or dropped: there are other examples, and its own page says why.
    }
  }
  return [...found];
}

/** Bytes of completions that are read for their sentences. */
const COMPLETIONS = 1 << 20;

/** Display name of an output: its node's label among similar nodes, otherwise the name under which the run returns it. */
function nameOf({ view }: Beside, node: NodeView, output: string): string {
  if (node.variant !== "" && node.variant !== node.name) return node.variant;
  return view.outputs.find((one) => one.node === node.name && one.output === output)?.name ?? node.name;
}

function returnedNames({ view }: Beside): ReadonlyMap<string, string> {
  return new Map(view.outputs.map(({ name, node, output }) => [`${node}:${output}`, name]));
}

/** Metrics in words: of the nodes that read the model, the last first, then of the one that made it. */
function measuredOf(records: Records, beside: Beside, output: string): ExplorePageData["measured"] {
  const own = beside.node;
  const readers = beside.view.nodes.filter((one) =>
    one.inputs.some((from) => from.node === own.name && from.output === output)
  );
  const values = new Map(
    measuredNodes(records, beside.view.run).map(({ node, values }) => [node.name, values]),
  );
  const of = (node: NodeView, told: string) => {
    const found = new Map<string, string>();
    for (const [metric, value] of Object.entries(values.get(node.name) ?? {})) {
      const title = `${nameInWords(metric)}${told === "" ? "" : ` (${told})`}`;
      // What a stage returns may tell once more what it measured.
      if (value !== null && !found.has(title)) found.set(title, figureText(value));
    }
    return [...found];
  };
  const single =
    readers.filter(({ name }) => values.has(name) && Object.keys(values.get(name)!).length > 0).length === 1;
  return [
    ...readers.toReversed().flatMap((node) => of(node, readerText(node, own) || (single ? "" : node.name))),
    ...of(own, "when it was made"),
  ].slice(0, MEASURED);
}

/** A measured number with as many digits as are read. */
function figureText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** What tells a reader from the model itself: `test` of `distilled, tokens=test`. */
function readerText(reader: NodeView, own: NodeView): string {
  const known = new Set(own.variant.split(", "));
  return reader.variant.split(", ").filter((part) => part !== "" && !known.has(part))
    .map((part) => part.slice(part.indexOf("=") + 1)).join(", ");
}

/** Models of the run that answer the same questions, most closely related first. */
function othersOf(
  beside: Beside,
  digest: string,
  known: Explorable | null,
  colours: ReadonlyMap<string, number>,
): ModelBeside[] {
  const found: ModelBeside[] = [];
  const made = beside.node.outputs.find((one) => one.digest === digest);
  const own = made === undefined ? "" : nameOf(beside, beside.node, made.output);
  const alike = (other: Explorable | null) =>
    known !== null && other?.kind === known.kind &&
    (known.kind === "text"
      ? other.kind === "text" && other.vocabulary === known.vocabulary
      : other.kind === "images" && other.height === known.height && other.width === known.width);
  for (const node of beside.view.nodes) {
    for (const artifact of node.outputs) {
      if (artifact.digest === digest || found.some((one) => one.digest === artifact.digest)) continue;
      if (!isModel(artifact) || !alike(explorable(beside.nodes, node, artifact))) continue;
      const name = nameOf(beside, node, artifact.output);
      const taken = name === own || found.some((one) => one.name === name);
      found.push({
        digest: artifact.digest,
        name: taken ? `${name} (${node.stage})` : name,
        colour: colours.get(node.name) ?? REFERENCE,
      });
    }
  }
  const kin = new Set(
    beside.view.nodes.filter((one) => one.stage === beside.node.stage).flatMap((one) => one.outputs)
      .map((one) => one.digest),
  );
  return found.sort((a, b) => Number(kin.has(b.digest)) - Number(kin.has(a.digest)));
}

function isModel({ codec }: ArtifactView): boolean {
  return codec === "circuit" || codec === "patch-model";
}

/** Limits: words listed per blank, completions, characters of a sentence, and tokens under a constraint. */
const LISTED = 1000, DRAWS = 16, SENTENCE = 5000, TOKENS = 256;

/**
 * Asks a model the question in the query.
 * @throws WrongQuestion when what is asked does not fit the model
 */
export function askModel(
  store: Store,
  records: Records,
  explorer: Explorer,
  query: URLSearchParams,
): Promise<Answer> {
  const record = resolveArtifact(records, query.get("digest") ?? "");
  const beside = nodesBeside(store, records, record);
  const known = beside && explorable(beside.nodes, beside.node, record.artifact);
  const common = {
    model: record.artifact,
    draws: wholeNumber(query, "draws", DRAWS),
    seed: wholeNumber(query, "seed", 2 ** 31),
  };
  const ask = async (question: Question) => {
    try {
      return await explorer.ask(store.root, question, query.get("asker") ?? "");
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new WrongQuestion(error.code, error.message, { ...hint, cause: error, status: 422 });
    }
  };
  if (known?.kind === "text" && query.get("ask") === "control") {
    const [constraint, begun] = ["constraint", "begun"].map((name) => query.get(name) ?? "") as [
      string,
      string,
    ];
    if (constraint.length + begun.length > SENTENCE) {
      throw new WrongQuestion("page/argument", "the constraint, or the text, is too long");
    }
    return ask({
      ...common,
      kind: "control",
      vocabulary: resolveArtifact(records, known.vocabulary).artifact,
      constraint,
      begun,
      tokens: wholeNumber(query, "tokens", TOKENS),
      list: wholeNumber(query, "list", LISTED),
    });
  }
  if (known?.kind === "text") {
    const sentence = query.get("sentence") ?? "";
    if (sentence.length > SENTENCE) throw new WrongQuestion("page/argument", "the sentence is too long");
    return ask({
      ...common,
      kind: "text",
      vocabulary: resolveArtifact(records, known.vocabulary).artifact,
      sentence,
      ends: query.get("ends") !== "false",
      list: wholeNumber(query, "list", LISTED),
      likeliest: query.get("likeliest") === "true",
    });
  }
  if (known?.kind === "images") {
    const set = known.sets.find((one) => one.digest === query.get("set"));
    if (set === undefined) {
      throw new WrongQuestion("page/argument", "there is no such set of images for this model", {
        status: 422,
      });
    }
    return ask({
      ...common,
      kind: "images",
      images: resolveArtifact(records, set.digest).artifact,
      image: wholeNumber(query, "image", set.count - 1),
      hidden: query.get("hidden") ?? "",
    });
  }
  throw new WrongQuestion("page/argument", "this artifact is not a model of text or images", { status: 422 });
}

/** An integer query parameter from 0 to `most`. */
function wholeNumber(query: URLSearchParams, name: string, most: number): number {
  const value = Number(query.get(name) ?? "");
  if (query.get(name)?.trim() && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new WrongQuestion(
    "page/argument",
    `${name} is ${JSON.stringify(query.get(name))}; expected a whole number from 0 to ${most}`,
  );
}
