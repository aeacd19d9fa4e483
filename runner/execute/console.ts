import { formatWithOptions } from "node:util";

const METHODS = ["log", "info", "debug", "warn", "error"] as const;

/**
 * Sends what the console prints elsewhere, so that it lands in a node's log.
 *
 * @returns a function that undoes it.
 */
export function captureConsole(write: (text: string) => void): () => void {
  const saved = METHODS.map((method) => [method, console[method]] as const);
  let writing = false;
  for (const [method, original] of saved) {
    console[method] = (...args: unknown[]) => {
      if (writing) return original(...args); // What `write` itself prints is not the stage's.
      writing = true;
      try {
        write(formatWithOptions({ colors: false }, ...args));
      } finally {
        writing = false;
      }
    };
  }
  return () => {
    for (const [method, original] of saved) console[method] = original;
  };
}
