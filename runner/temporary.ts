import type { AnyCodec } from "./codec.ts";
import { CallError } from "../foundation/errors.ts";

/** An output that is kept only until what reads it has been made: `temporary(codec)`. */
export interface Temporary<C extends AnyCodec = AnyCodec> {
  /** The type of the output. */
  readonly temporary: C;
}

/** The type of a declared output. */
export type OutputType = AnyCodec | Temporary;

/** The codec of a declared output, temporary or not. */
export type CodecOf<T> = T extends Temporary<infer C> ? C : T extends AnyCodec ? T : never;

/**
 * Declares an output whose bytes are deleted once all nodes of the run that read it are recorded, and made again when
 * somebody asks for them. No part of the key.
 *
 * @throws CallError for what is no codec.
 */
export function temporary<C extends AnyCodec>(codec: C): Temporary<C> {
  if (typeof codec?.name !== "string" || typeof codec.write !== "function") {
    throw new CallError("stage/declaration", "`temporary` was called with what is no codec", {
      hint: "It takes the type of an output: `outputs: { flows: temporary(text) }`.",
    });
  }
  return { temporary: codec };
}

/** Declared outputs as codecs, and the names of those that are temporary. */
export function plainOutputs(
  outputs: Readonly<Record<string, OutputType>>,
): { readonly codecs: Record<string, AnyCodec>; readonly temporary: readonly string[] } {
  const marked = Object.entries(outputs).filter(([, type]) => "temporary" in type).map(([name]) => name);
  const codecs = Object.entries(outputs).map(([name, type]): [string, AnyCodec] => [
    name,
    "temporary" in type ? type.temporary : type,
  ]);
  return { codecs: Object.fromEntries(codecs), temporary: marked };
}
