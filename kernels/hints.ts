/** Whether this is a web page or its worker, without a command line or anything to install. */
function inBrowser(): boolean {
  return /^Mozilla\//.test(globalThis.navigator?.userAgent ?? "");
}

/** Hint for when WebGPU finds no adapter. */
export function hintWithoutAdapter(): string {
  return inBrowser()
    ? "Turn on graphics acceleration in the browser's settings, or use another browser; pages have WebGPU over https, or from " +
      "this machine."
    : "Use `--engine cpu`, or install a Vulkan driver (in software: Debian's mesa-vulkan-drivers).";
}

/** Hint for when no adapter has the requested name. */
export function hintForOtherAdapter(): string {
  return inBrowser() ? "Leave the name out: the browser chooses." : "`deno task doctor` lists the adapters.";
}

/** Hint for when the device was lost and the work could not continue. */
export function hintAfterLoss(): string {
  return inBrowser()
    ? "Load the page again; if it happens again, use a smaller model."
    : "Run the same command again: it goes on from the last checkpoint.";
}
