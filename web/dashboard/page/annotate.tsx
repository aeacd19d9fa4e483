/// <reference lib="dom" />
import { useState } from "preact/hooks";
import type { Annotation } from "../../../runner/records/rows.ts";
import { post } from "./client.ts";
import { Problem, Section } from "./frame.tsx";

/** A change of runs' annotations, as sent to the server. */
export interface AnnotationChange {
  readonly runs: readonly string[];
  readonly note?: string;
  readonly tags?: readonly string[];
  readonly addTags?: readonly string[];
  readonly archived?: boolean;
}

/** Sends annotation changes; failures are shown. */
export function useAnnotate(): {
  error: Error | undefined;
  annotate(change: AnnotationChange): Promise<boolean>;
} {
  const [error, setError] = useState<Error>();
  return {
    error,
    async annotate(change) {
      try {
        await post("api/annotate", change);
        setError(undefined);
        return true;
      } catch (problem) {
        setError(problem as Error);
        return false;
      }
    },
  };
}

/** Parses tags as typed. */
export function tagsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((tag) => tag !== "");
}

/** Form to edit the note and the tags of a run. */
export function Annotate({ run, annotation }: { run: string; annotation: Annotation }) {
  const [said, setSaid] = useState<Annotation>(annotation);
  const [note, setNote] = useState(annotation.note);
  const [tags, setTags] = useState(annotation.tags.join(" "));
  const { error, annotate } = useAnnotate();
  const save = async (change: Partial<Annotation>) => {
    if (await annotate({ runs: [run], ...change })) setSaid((before) => ({ ...before, ...change }));
  };
  const changed = note !== said.note || tagsOf(tags).join() !== said.tags.join();
  return (
    <Section title="Notes">
      <form
        class="asking"
        onSubmit={(event) => {
          event.preventDefault();
          save({ note, tags: tagsOf(tags) });
        }}
      >
        <label>
          Note
          <textarea value={note} rows={2} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
        <label>
          Tags, with spaces between them
          <input type="text" value={tags} onInput={(event) => setTags(event.currentTarget.value)} />
        </label>
        <div class="bar">
          <button type="submit" disabled={!changed}>Save</button>
          <button type="button" onClick={() => save({ archived: !said.archived })}>
            {said.archived ? "Bring back from the archive" : "Archive"}
          </button>
          {said.archived && <span class="faint">archived: lists leave it out</span>}
        </div>
      </form>
      {error !== undefined && <Problem error={error} />}
    </Section>
  );
}
