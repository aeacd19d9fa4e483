import { AwsClient } from "aws4fetch";
import { type Digest, digestBytes } from "../../foundation/canonical.ts";
import { objectPath } from "../../runner/store/remote/layout.ts";
import { AT_ONCE, eachAtOnce, type Remote, USUAL } from "../../runner/store/remote/remote.ts";
import { PARTS_AT_ONCE } from "../../runner/store/remote/s3.ts";
import { fetchResult, pushResult } from "../../runner/store/remote/transfer.ts";
import type { Store } from "../../runner/store/store.ts";
import { ACCESS, Moto, onS3 } from "../../tests/moto.ts";
import { ScratchStore } from "../../tests/runner/remote/stores.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";

const QUESTIONS = 10_000;
/** Bytes of the object that goes up by one request and comes down. */
const SIZE = 64 << 20;
/** Bytes of the object that goes up in parts. */
const PARTED = 96 << 20;
const RUNS = 5;

/** A bucket on an S3 server of this machine: questions for results, and large objects, beside what the same bytes take without Retort. */
export async function measureRemote(folder: string): Promise<Figure[]> {
  if (onS3.ignore) {
    console.error("left out: this needs Python's moto, as the tests of tests/needs.ts do");
    return [];
  }
  await using moto = await Moto.start();
  return [...await measureQuestions(moto), ...await measureTransfer(moto, folder)];
}

/** Seconds for questions of which half are answered with yes. */
async function measureQuestions(moto: Moto): Promise<Figure[]> {
  const paths = Array.from({ length: QUESTIONS }, (_, i) => objectPath(digestBytes(`object ${i}`)));
  const there = paths.filter((_, i) => i % 2 === 0);
  await eachAtOnce(there, AT_ONCE, async (path) => {
    const put = await fetch(`${moto.endpoint}/bucket/asked/${path}`, { method: "PUT", body: "it" });
    await put.body?.cancel();
  });
  const seconds: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const remote = moto.remote("asked", moto.endpoint, USUAL);
    let found = new Set<string>();
    seconds.push(await milliseconds(async () => found = await remote.has(paths)) / 1000);
    if (found.size !== there.length) throw new Error(`${found.size} of ${there.length} were found`);
  }
  return [
    figure(`${QUESTIONS.toLocaleString("en")} questions whether an object is there`, "s", seconds, {
      atMost: 5,
    }),
  ];
}

/** What is compared with what: ways to carry the same bytes, each measured in each round. */
type Way = "put" | "push" | "get" | "stored" | "pull" | "parts" | "pushed parts";

/**
 * The speed of a result of one object, from store to bucket and to another store, over that of bare requests for the same bytes in the same
 * round: one request; one of which the answer is written and synced; and, of a larger object, as many parts at once as Retort puts.
 */
async function measureTransfer(moto: Moto, folder: string): Promise<Figure[]> {
  const remote = moto.remote("transfer", moto.endpoint, USUAL);
  const seconds = new Map<Way, number[]>();
  for (let run = 0; run < RUNS; run++) {
    using here = new ScratchStore(folder);
    using there = new ScratchStore(folder);
    const bare = new Bare(moto, folder, `${run}`);
    const one = randomBytes(SIZE), more = randomBytes(PARTED);
    const { key } = await here.add(`round ${run}`, { one });
    const { key: keyOfMore } = await here.add(`parts of round ${run}`, { more });
    const time = async (way: Way, action: () => Promise<unknown>) => {
      const taken = await milliseconds(action) / 1000;
      seconds.set(way, [...seconds.get(way) ?? [], taken]);
    };
    const ways: (readonly [Way, () => Promise<unknown>])[][] = [
      [["put", () => bare.put(one)], ["push", () => pushResult(here.store, remote, key)]],
      [
        ["get", () => bare.get()],
        ["stored", () => bare.getStored()],
        ["pull", () => pulled(there.store, remote, key)],
      ],
      [["parts", () => bare.putParts(more)], [
        "pushed parts",
        () => pushResult(here.store, remote, keyOfMore),
      ]],
    ];
    // Who comes first changes from round to round.
    for (const these of ways) {
      for (const [way, action] of run % 2 === 0 ? these : these.toReversed()) await time(way, action);
    }
  }
  const speed = (way: Way, size: number) => seconds.get(way)!.map((taken) => size / 1e6 / taken);
  const share = (way: Way, of: Way) =>
    seconds.get(way)!.map((taken, i) => 100 * seconds.get(of)![i]! / taken);
  const target = { atLeast: 70 } as const;
  return [
    figure("one PUT of 64 MiB by aws4fetch alone", "MB/s", speed("put", SIZE)),
    figure("push of a result with these bytes, its speed", "% of it", share("push", "put"), target),
    figure("PUTs of 96 MiB in parts, four at once, by aws4fetch alone", "MB/s", speed("parts", PARTED)),
    figure("push of a result with these bytes, its speed", "% of it", share("pushed parts", "parts"), target),
    figure("one GET of 64 MiB by aws4fetch alone, kept in memory", "MB/s", speed("get", SIZE)),
    figure("pull of a result with these bytes, its speed", "% of it", share("pull", "get"), target),
    figure("one GET of them by aws4fetch alone, written and synced", "MB/s", speed("stored", SIZE)),
    figure("pull of a result with these bytes, its speed", "% of it", share("pull", "stored")),
  ];
}

async function pulled(store: Store, remote: Remote, key: Digest): Promise<void> {
  const { state } = await fetchResult(store, remote, key);
  if (state !== "fetched") throw new Error(`the result is ${state}`);
}

/** Requests without Retort, of bytes in memory. */
class Bare {
  readonly #client = new AwsClient({ ...ACCESS, service: "s3", retries: 0 });

  constructor(readonly moto: Moto, readonly folder: string, readonly name: string) {}

  async #ask(query = "", init: RequestInit = {}): Promise<Response> {
    const response = await this.#client.fetch(`${this.moto.endpoint}/bucket/bare/${this.name}${query}`, init);
    if (!response.ok) throw new Error(`${this.name}: ${response.status}`);
    return response;
  }

  async put(bytes: Uint8Array<ArrayBuffer>, query = ""): Promise<string> {
    const response = await this.#ask(query, { method: "PUT", body: bytes });
    await response.body?.cancel();
    return response.headers.get("etag")!;
  }

  async get(): Promise<void> {
    await (await this.#ask()).arrayBuffer();
  }

  async getStored(): Promise<void> {
    const path = `${this.folder}/stored`;
    using file = await Deno.open(path, { write: true, create: true, truncate: true });
    await (await this.#ask()).body!.pipeTo(file.writable, { preventClose: true });
    await file.syncData();
  }

  async putParts(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const begun = await this.#ask(".parts?uploads=", { method: "POST" });
    const upload = /<UploadId>([^<]+)</.exec(await begun.text())![1]!;
    const tags: string[] = [];
    const parts = Array.from({ length: Math.ceil(bytes.length / USUAL.part) }, (_, part) => part);
    await eachAtOnce(parts, PARTS_AT_ONCE, async (part) => {
      const piece = bytes.subarray(part * USUAL.part, (part + 1) * USUAL.part);
      tags[part] = await this.put(piece, `.parts?partNumber=${part + 1}&uploadId=${upload}`);
    });
    const listed = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>`;
    await (await this.#ask(`.parts?uploadId=${upload}`, { method: "POST", body })).text();
  }
}

function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}
