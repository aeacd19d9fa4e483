/**
 * Data: the registry of data sets, reading and fetching them, texts with their tokenizers and windows, images.
 *
 * @module
 */
export * from "./bigram.ts";
export * from "./errors.ts";
export type { DownloadEvent, FileProgress, Patience } from "./download.ts";
export * from "./fetch.ts";
export * from "./images/mod.ts";
export * from "./list.ts";
export type { Machine } from "./registries/machine.ts";
export * from "./locate.ts";
export * from "./registry.ts";
export * from "./rows.ts";
export * from "./schema.ts";
export * from "./text/documents.ts";
export { type PieceTokenizer, tokenizerOf } from "./text/known_tokenizer.ts";
export type { Passage } from "./text/passages.ts";
export * from "./text/pieces.ts";
export type { WordPlace } from "./text/running_text.ts";
export * from "./text/tokenizer.ts";
export * from "./text/vocabulary.ts";
export * from "./text/windows.ts";
export * from "./text/words.ts";
