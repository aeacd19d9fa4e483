import { join } from "node:path";
import { z } from "zod";
import {
  documentsOf,
  type Split,
  splitByHash,
  splitByName,
  splits,
  textFormats,
} from "../../datasets/text/documents.ts";
import { TextError } from "../../datasets/text/errors.ts";
import { type Files, files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { documents, type NewDocuments } from "./codecs.ts";

/** Parameters of {@link loadText}, for pipelines that hand them on. */
export const loadParams: {
  /** How documents are told apart in a file. */
  format: z.ZodDefault<
    z.ZodEnum<{
      file: "file";
      paragraphs: "paragraphs";
      lines: "lines";
      wikitext: "wikitext";
    }>
  >;
  /** The column of tables that holds the text: each row is a document, whatever `format` says. */
  column: z.ZodOptional<z.ZodString>;
  /**
   * `names`: a file is for the split that it is named after (`train.txt`, `wiki.valid.tokens`, `test/1.txt`);
   * `hash`: a document falls into a split by the sha256 of its text; `auto`: by names where each split has a file that is
   * named after it, else by hash.
   */
  split: z.ZodDefault<
    z.ZodEnum<{
      auto: "auto";
      names: "names";
      hash: "hash";
    }>
  >;
  /** Shares of the documents, for `hash`. */
  shares: z.ZodDefault<
    z.ZodObject<{
      train: z.ZodNumber;
      valid: z.ZodNumber;
      test: z.ZodNumber;
    }, z.core.$strip>
  >;
} = {
  /** How documents are told apart in a file. */
  format: z.enum(textFormats).default("file"),
  /** The column of tables that holds the text: each row is a document, whatever `format` says. */
  column: z.string().min(1).optional(),
  /**
   * `names`: a file is for the split that it is named after (`train.txt`, `wiki.valid.tokens`, `test/1.txt`);
   * `hash`: a document falls into a split by the sha256 of its text; `auto`: by names where each split has a file that is
   * named after it, else by hash.
   */
  split: z.enum(["names", "hash", "auto"]).default("hash"),
  /** Shares of the documents, for `hash`. */
  shares: z.object({ train: z.number().min(0), valid: z.number().min(0), test: z.number().min(0) })
    .default({ train: 0.8, valid: 0.1, test: 0.1 }),
};

/**
 * Documents for training, validation and test from text files: a data set of the registry (`dataSet`), files of your
 * own (`localText`), a package (`sotuText`). UTF-8 or UTF-16, plain or packed as gzip or zstd; of tables (JSON lines, CSV,
 * parquet) a column.
 */
export const loadText: Stage<
  z.ZodObject<typeof loadParams, z.core.$strip>,
  { files: typeof files },
  { train: typeof documents; valid: typeof documents; test: typeof documents }
> = defineStage({
  name: "text.load",
  params: z.object(loadParams),
  inputs: { files },
  outputs: { train: documents, valid: documents, test: documents },
  async run({ inputs, params, context }) {
    const folder = await context.scratch();
    const outputs = Object.fromEntries(
      splits.map((split) => [split, new DocumentWriter(join(folder, `${split}.txt`))]),
    ) as Record<Split, DocumentWriter>;
    const named = params.split === "hash" ? undefined : namedSplits(inputs.files, params.split === "names");
    const entries = inputs.files.entries;
    const among = (some: readonly string[]) =>
      some.slice(0, 10).join(", ") + (some.length > 10 ? ", ..." : "");
    if (params.split === "auto") {
      context.log(`documents go by ${named === undefined ? "hash" : "the names of files"}`);
    }
    const unnamed = named === undefined ? [] : entries.flatMap(({ name }) => named.has(name) ? [] : [name]);
    if (unnamed.length > 0) context.log(`left out, since they are named after no split: ${among(unnamed)}`);
    for (const [i, { name }] of entries.entries()) {
      const given = named?.get(name);
      if (named !== undefined && given === undefined) continue;
      const options = { name, ...(params.column !== undefined && { column: params.column }) };
      for await (const document of documentsOf(await inputs.files.path(name), params.format, options)) {
        context.signal.throwIfAborted();
        const split = given ?? await splitByHash(document, params.shares);
        await outputs[split].write(document.text());
      }
      context.progress(i + 1, entries.length, "files");
    }
    const done = {} as Record<Split, NewDocuments>;
    for (const split of splits) {
      done[split] = await outputs[split].done();
      context.metric(`${split} documents`, done[split].starts.length - 1);
    }
    if (splits.every((split) => done[split].starts.length === 1)) {
      throw new TextError("text/empty", `there is no text in ${among(entries.map(({ name }) => name))}`, {
        hint: "Files that are empty, or hold nothing but white space, have no document.",
      });
    }
    if (named !== undefined) {
      for (const split of splits) {
        if (done[split].starts.length > 1) continue;
        const own = [...named].filter(([, of]) => of === split).map(([name]) => name);
        throw new TextError("text/empty", `there is no text for the split \`${split}\` in ${among(own)}`, {
          hint: "Files that are empty, or hold nothing but white space, have no document.",
        });
      }
    } else {
      checkShares(params.shares, done);
      if (done.train.starts.length === 1) {
        throw new TextError("text/empty", "no document falls into the training split", {
          hint: `Files: ${among(entries.map(({ name }) => name))}. Is \`shares\` right?`,
        });
      }
    }
    return done;
  },
});

/** Refuses an empty split here: later stages would fail without saying why. */
function checkShares(shares: Record<Split, number>, done: Record<Split, NewDocuments>): void {
  const counts = splits.map((split) => done[split].starts.length - 1);
  const empty = splits.filter((split, i) => shares[split] > 0 && counts[i] === 0);
  if (empty.length === 0) return;
  const all = counts.reduce((a, b) => a + b, 0);
  throw new TextError(
    "text/splits",
    `of ${all} documents none fell into ${empty.map((split) => `\`${split}\``).join(" and ")} (${
      splits.map((split, i) => `${split}: ${counts[i]}, share ${shares[split]}`).join("; ")
    })`,
    {
      hint: "Take more documents, tell them apart more finely (`format`), or set other `shares`; " +
        "a share of 0 wants none.",
    },
  );
}

/** The split of every file whose name says one; each split must have a file, or, unless it `must`, nothing is said. */
function namedSplits(given: Files, must: boolean): Map<string, Split> | undefined {
  const found = new Map<string, Split>();
  for (const { name } of given.entries) {
    const split = splitByName(name);
    if (split !== undefined) found.set(name, split);
  }
  for (const split of splits) {
    if ([...found.values()].includes(split)) continue;
    if (!must) return undefined;
    throw new TextError(
      "text/splits",
      `no file is named after the split \`${split}\`; there are ${
        given.entries.map(({ name }) => name).join(", ")
      }`,
      { hint: 'Name files or their folders `train`, `valid` and `test`, or set `split` to "hash".' },
    );
  }
  return found;
}

/** Writes documents one after the other into a file. */
class DocumentWriter {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  readonly #starts: number[] = [0];
  #size = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  async write(pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
    for await (const piece of pieces) {
      const bytes = this.#encoder.encode(piece);
      for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
      this.#size += bytes.length;
    }
    this.#starts.push(this.#size);
  }

  async done(): Promise<NewDocuments> {
    await this.#file.syncData();
    this.#file.close();
    return { path: this.#path, starts: Float64Array.from(this.#starts) };
  }
}
