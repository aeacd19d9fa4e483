import { isNotFound, readBytes, unpackGzip } from "../../foundation/file_system.ts";
import { CircuitError } from "../errors.ts";

/**
 * The text of a file for the parsers of this folder, decompressed if it is gzipped, whatever its name: `parsePsdd(await
 * readModelText("model.psdd.gz"))`.
 * @throws {CircuitError} when there is no such file, or it is damaged or no text
 */
export async function readModelText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(path);
  } catch (cause) {
    const why = isNotFound(cause) ? "there is no such file" : (cause as Error).message;
    throw new CircuitError("model-file/unreadable", `${path} cannot be read: ${why}`, { cause });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = unpacked(bytes, path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CircuitError("model-file/format", `${path} is not UTF-8 text`, {
      hint: "Of packed files only gzip is read here: unpack it first.",
      cause,
    });
  }
}

/** All members of a gzip file, concatenated: parallel compressors and `cat` create multi-member files. */
function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return unpackGzip(bytes);
  } catch (cause) {
    throw new CircuitError("model-file/unreadable", `${path}: its gzip data are damaged or cut short`, {
      cause,
    });
  }
}
