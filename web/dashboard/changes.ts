import { z } from "zod";
import { cancelRun } from "../../runner/cancel.ts";
import { Records } from "../../runner/records/records.ts";
import type { Annotation } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { WrongQuestion } from "./wrong_question.ts";

/** Limits: length of a note, length of a tag, and number of tags per run. */
const NOTE = 10_000, TAG = 100, TAGS = 50;

const tag = z.string().trim().min(1).max(TAG).regex(/^[^\s,]+$/, "a tag has no spaces and no commas");

const annotated = z.strictObject({
  runs: z.array(z.string()).min(1).max(1000),
  note: z.string().max(NOTE).optional(),
  tags: z.array(tag).max(TAGS).optional(),
  addTags: z.array(tag).max(TAGS).optional(),
  archived: z.boolean().optional(),
});

/**
 * Saves notes and tags of runs.
 * @throws WrongQuestion when the body says it otherwise than {@link annotated}
 */
export function annotateRuns(store: Store, records: Records, body: unknown): Annotation[] {
  const { runs, note, tags, addTags, archived } = read(annotated, body);
  const ids = runs.map((run) => resolveRun(records, run).id);
  using writing = new Records(store);
  return writing.transaction(() =>
    ids.map((id) => {
      const before = addTags === undefined ? [] : writing.annotation(id).tags;
      return writing.annotate(id, {
        ...(note === undefined ? {} : { note }),
        ...(tags === undefined && addTags === undefined
          ? {}
          : { tags: [...tags ?? before, ...addTags ?? []] }),
        ...(archived === undefined ? {} : { archived }),
      });
    })
  );
}

/** Cancels a running run as Ctrl-C does. */
export function cancel(store: Store, records: Records, body: unknown): void {
  cancelRun(store, resolveRun(records, read(z.strictObject({ run: z.string() }), body).run));
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  throw new WrongQuestion(
    "page/argument",
    found.error.issues.map((one) => `${one.path.join(".")}: ${one.message}`).join("; "),
  );
}
