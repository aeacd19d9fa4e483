/**
 * Data: the registry of data sets, reading and fetching them, texts with their tokenizers and windows, images.
 *
 * @module
 */
export * from "./bigram.ts";
export * from "./errors.ts";
export * from "./fetch.ts";
export * from "./images/mod.ts";
export * from "./list.ts";
export * from "./locate.ts";
export * from "./registry.ts";
export * from "./rows.ts";
export * from "./schema.ts";
export * from "./text/documents.ts";
export * from "./text/pieces.ts";
export * from "./text/tokenizer.ts";
export * from "./text/vocabulary.ts";
export * from "./text/windows.ts";
export * from "./text/words.ts";
