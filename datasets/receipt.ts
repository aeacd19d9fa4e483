import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../foundation/atomic.ts";

/**
 * Records what was unpacked into a data set's folder, so that members without a digest in the registry can be
 * verified later. Written after the files are in place.
 */
export interface Receipt {
  /** sha256 of the archive that the files came from. */
  readonly archive: string;
  /** path inside the folder -> size in bytes and sha256 of the unpacked file. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const fileName = ".retort-unpacked.json";

const schema = z.object({
  archive: z.string(),
  files: z.record(z.string(), z.object({ bytes: z.int(), sha256: z.string() })),
});

/** The receipt in `folder` for an archive; undefined if none can be read. */
export async function readReceipt(folder: string, archive: string): Promise<Receipt | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(folder, fileName));
  } catch {
    return undefined;
  }
  try {
    const receipt = schema.parse(JSON.parse(text));
    return receipt.archive === archive ? receipt : undefined;
  } catch {
    // A truncated receipt is ignored: the files are fetched again.
    return undefined;
  }
}

/** Writes the receipt of `folder` atomically: a reader sees the old one or the new one. */
export function writeReceipt(folder: string, receipt: Receipt): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(receipt, null, 2)}\n`);
  writeFileAtomic(folder, join(folder, fileName), bytes);
}
