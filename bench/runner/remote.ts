import { AwsClient } from "aws4fetch";
import { digestBytes } from "../../foundation/canonical.ts";
import { objectPath } from "../../runner/store/remote/layout.ts";
import { AT_ONCE, eachAtOnce, USUAL } from "../../runner/store/remote/remote.ts";
import { fetchResult, pushResult } from "../../runner/store/remote/transfer.ts";
import { ACCESS, Moto, onS3 } from "../../tests/moto.ts";
import { ScratchStore } from "../../tests/runner/remote/stores.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";

const QUESTIONS = 10_000;
/** Bytes of the object that goes up and comes down. */
const SIZE = 64 << 20;
const RUNS = 5;

/** A bucket on an S3 server of this machine: questions for results, and one large object, beside what the same bytes take without Retort. */
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

/** The speed of a result of one object, from store to bucket and to another store, over that of one request for the same bytes. */
async function measureTransfer(moto: Moto, folder: string): Promise<Figure[]> {
  const client = new AwsClient({ ...ACCESS, service: "s3", retries: 0 });
  const bare = async (name: string, init: RequestInit = {}) => {
    const response = await client.fetch(`${moto.endpoint}/bucket/bare/${name}`, init);
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return await response.arrayBuffer();
  };
  const bytes = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  const remote = moto.remote("transfer", moto.endpoint, USUAL);
  const speeds = { up: [] as number[], down: [] as number[] };
  const ratios = { up: [] as number[], down: [] as number[] };
  for (let run = 0; run < RUNS; run++) {
    new DataView(bytes.buffer).setUint32(0, run);
    using here = new ScratchStore(folder);
    using there = new ScratchStore(folder);
    const { key } = await here.add(`round ${run}`, { large: bytes });
    const file = `${folder}/${run}`;
    Deno.writeFileSync(file, bytes);
    const alone = {
      up: await milliseconds(async () => bare(`${run}`, { method: "PUT", body: await Deno.readFile(file) })),
      down: await milliseconds(() => bare(`${run}`)),
    };
    const ours = {
      up: await milliseconds(() => pushResult(here.store, remote, key)),
      down: await milliseconds(async () => {
        const { state } = await fetchResult(there.store, remote, key);
        if (state !== "fetched") throw new Error(`the result is ${state}`);
      }),
    };
    for (const way of ["up", "down"] as const) {
      speeds[way].push(SIZE / 1e3 / alone[way]);
      ratios[way].push(100 * alone[way] / ours[way]);
    }
    Deno.removeSync(file);
  }
  return [
    figure("one PUT of 64 MiB by aws4fetch alone", "MB/s", speeds.up),
    figure("push of a result with these bytes, its speed", "% of it", ratios.up, { atLeast: 70 }),
    figure("one GET of 64 MiB by aws4fetch alone", "MB/s", speeds.down),
    figure("pull of a result with these bytes, its speed", "% of it", ratios.down, { atLeast: 70 }),
  ];
}
