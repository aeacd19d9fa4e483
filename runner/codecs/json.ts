import { RetortError } from "../../foundation/errors.ts";
import type { z } from "zod";
import { type JsonObject, notJson, plainJson } from "../../foundation/canonical.ts";
import { type Codec, defineCodec } from "../codec.ts";

/** What else a codec of JSON may be told. */
export interface JsonOptions<S extends z.ZodType> {
  /** What matters of a value, as a few lines for people; the value itself by default. */
  readonly summary?: (value: z.output<S>) => string;
}

/**
 * A codec of JSON values that fit a zod schema: one file, `value.json`, canonical JSON.
 * Facts: the value itself when it is small (at most 1,000 characters), so that lists can show it.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { json } from "./json.ts";
 * const score = json("score", z.object({ perplexity: z.number() }));
 * ```
 */
export function json<S extends z.ZodType, const Name extends string>(
  name: Name,
  schema: S,
  version = 1,
  options: JsonOptions<S> = {},
): Codec<z.output<S>, z.input<S>, Name> {
  const fits = (value: unknown) => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const path = issue === undefined || issue.path.length === 0 ? "the value" : `\`${issue.path.join(".")}\``;
    throw new RetortError("artifact/value", `${path}: ${issue?.message ?? "does not fit the schema"}`);
  };
  return defineCodec<z.output<S>, z.input<S>, Name>({
    name,
    version,
    ...(options.summary === undefined ? {} : { summary: options.summary }),
    async write(value, out): Promise<JsonObject> {
      fits(value);
      const fault = notJson(value);
      if (fault !== undefined) throw new RetortError("artifact/value", `not plain JSON: ${fault}`);
      const plain = plainJson(value);
      await out.json("value.json", plain);
      return JSON.stringify(plain).length <= 1000 ? { value: plain } : {};
    },
    async read(artifact) {
      return fits(await artifact.json("value.json"));
    },
  });
}
