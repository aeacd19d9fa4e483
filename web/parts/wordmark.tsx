import { MARK_PATH, NAME_PATH, WORDMARK_SIZE } from "../view/wordmark.ts";

/** Mark and name of the project, in the colours of the page. */
export function Wordmark({ to }: { to?: string }) {
  const { width, height } = WORDMARK_SIZE;
  const drawn = (
    <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label="Retort">
      <path class="mark" fill-rule="evenodd" d={MARK_PATH} />
      <path class="name" d={NAME_PATH} />
    </svg>
  );
  return to === undefined ? <span class="wordmark">{drawn}</span> : <a class="wordmark" href={to}>{drawn}</a>;
}
