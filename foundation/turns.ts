/**
 * For long loops that await nothing else: await the returned function in every step to let signals, timers and
 * messages be handled every so many milliseconds.
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
