/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { durationText } from "../../../foundation/format.ts";
import type { Standing } from "../standing.ts";

/** What a result says of itself, as rows of facts: who accepted it, what of it was dropped and how it comes back. */
export function standingFacts({ accepted, dropped }: Standing): (readonly [string, ComponentChildren])[] {
  return [
    ...accepted === null ? [] : [
      [
        "accepted",
        `by ${accepted.by} on ${accepted.when.slice(0, 10)}: ${accepted.why} (${
          accepted.changes.join("; ")
        })`,
      ] as const,
    ],
    ...dropped.map(({ output, when, command, seconds }) =>
      [
        "dropped",
        <span key={output}>
          {output} is temporary and was deleted on {when.slice(0, 10)}, once all that read it was made
          {command !== null && (
            <>
              ; made again and kept by <code>{command}</code>
            </>
          )}
          {seconds !== null && ` (about ${durationText(seconds)})`}
        </span>,
      ] as const
    ),
  ];
}
