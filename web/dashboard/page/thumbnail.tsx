/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { RunLine } from "../list.ts";
import type { Thumbnail } from "../thumbnails.ts";
import { ask } from "./client.ts";

/** How many are asked for at once: the first stand there before the last are made. */
const PIECE = 10;

/** What this window has of runs that have ended, which does not change any more. */
const kept = new Map<string, Thumbnail | null>();

/** Thumbnails of runs by id, as they come: the list does not wait for them. */
export function useThumbnails(runs: readonly RunLine[]): ReadonlyMap<string, Thumbnail | null> {
  const [found, setFound] = useState<ReadonlyMap<string, Thumbnail | null>>(kept);
  // What is going on is drawn again whenever the list is.
  const growing = runs.some(({ ended }) => ended === null) ? runs : undefined;
  useEffect(() => {
    const stop = new AbortController();
    const missing = runs.filter(({ id }) => !kept.has(id));
    (async () => {
      for (let i = 0; i < missing.length; i += PIECE) {
        const piece = missing.slice(i, i + PIECE);
        const query = new URLSearchParams(piece.map(({ id }) => ["run", id]));
        const drawn = await ask<Record<string, Thumbnail | null>>(`api/thumbnails?${query}`, stop.signal);
        for (const { id, ended } of piece) if (ended !== null) kept.set(id, drawn[id] ?? null);
        setFound((before) => new Map([...before, ...Object.entries(drawn)]));
      }
      // A list without its pictures is still one: what is wrong is said where the runs themselves are asked for.
    })().catch(() => {});
    return () => stop.abort();
  }, [runs.map(({ id }) => id).join(), growing]);
  return found;
}

const WIDTH = 132, HEIGHT = 36, EDGE = 2;

/** A bar an arm with its value, or curves without axes. */
export function ThumbnailView({ drawn }: { drawn: Thumbnail }) {
  if (drawn.bars.length > 0) {
    return (
      <div class="thumbnail" title={drawn.title}>
        {drawn.bars.map(({ label, text, share, colour, open }) => (
          <div key={label} class="arm">
            <span>{label}</span> <span class="number">{text}</span>
            <span class="amounts" aria-hidden="true">
              <span
                class={open ? "amount open" : "amount"}
                style={`width:${(100 * share).toFixed(1)}%;--colour:var(--series-${colour})`}
              />
            </span>
          </div>
        ))}
      </div>
    );
  }
  const at = ([x, y]: readonly [number, number]) =>
    `${(EDGE + x * (WIDTH - 2 * EDGE)).toFixed(1)},${(HEIGHT - EDGE - y * (HEIGHT - 2 * EDGE)).toFixed(1)}`;
  return (
    <svg
      class="thumbnail"
      role="img"
      aria-label={`${drawn.title}: ${drawn.lines.map(({ label }) => label).join(", ")}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
    >
      <title>{drawn.title}</title>
      {drawn.lines.toReversed().map(({ label, colour, points }) => (
        <polyline
          key={label}
          points={points.map(at).join(" ")}
          fill="none"
          stroke={`var(--series-${colour})`}
          stroke-width="1.75"
          stroke-linejoin="round"
        />
      ))}
    </svg>
  );
}
