import { RetortError } from "../../foundation/errors.ts";
import { type Codec, defineCodec } from "../codec.ts";

/** A codec of one UTF-8 text, `text.txt`. Facts: its length in characters and in lines. */
export const text: Codec<string, string, "text"> = defineCodec<string, string, "text">({
  name: "text",
  version: 1,
  async write(value, out) {
    if (typeof value !== "string") {
      throw new RetortError("artifact/value", `expected a string, got ${typeof value}`);
    }
    if (!value.isWellFormed()) {
      throw new RetortError("artifact/value", "the string holds a lone surrogate: not storable as UTF-8");
    }
    await out.text("text.txt", value);
    return { characters: value.length, lines: value === "" ? 0 : value.split("\n").length };
  },
  async read(artifact) {
    return await artifact.text("text.txt");
  },
});
