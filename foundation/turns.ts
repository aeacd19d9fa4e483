/**
 * For long work that awaits nothing by itself: awaited in every step, the returned function lets the rest of
 * the process have its turn (signals, timers, messages) once so many milliseconds have passed since the last.
 */
export function turns(milliseconds = 20): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return undefined;
    return new Promise((resolve) =>
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0)
    );
  };
}
