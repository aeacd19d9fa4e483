/** Signals within this many milliseconds of the first count as the same one. */
const SAME_PRESS = 400;

/**
 * Calls `first` at the first Ctrl-C (or SIGTERM) and `second` at the next.
 *
 * One Ctrl-C may arrive twice: from the terminal, which signals every process in it, and from `deno
 * task`, which passes on what it gets.
 */
export function onInterrupt(first: () => void, second: () => void): void {
  let began: number | undefined;
  const handle = () => {
    if (began === undefined) {
      began = performance.now();
      first();
    } else if (performance.now() - began > SAME_PRESS) second();
  };
  Deno.addSignalListener("SIGINT", handle);
  Deno.addSignalListener("SIGTERM", handle);
}
