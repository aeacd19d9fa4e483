/** Whether this is a page or a worker of one: there is no command line, and nothing to install. */
function inBrowser(): boolean {
  return /^Mozilla\//.test(globalThis.navigator?.userAgent ?? "");
}

/** What to do where WebGPU finds no adapter. */
export function hintWithoutAdapter(): string {
  return inBrowser()
    ? "Turn on graphics acceleration in the browser's settings, or use another browser; pages have WebGPU over https, or from " +
      "this machine."
    : "Use `--engine cpu`, or install a Vulkan driver (in software: Debian's mesa-vulkan-drivers).";
}

/** What to do where no adapter has the name that was asked for. */
export function hintForOtherAdapter(): string {
  return inBrowser() ? "Leave the name out: the browser chooses." : "`deno task doctor` lists the adapters.";
}

/** What to do when the device was lost and the work could not go on. */
export function hintAfterLoss(): string {
  return inBrowser()
    ? "Load the page again; if it happens again, use a smaller model."
    : "Run the same command again: it goes on from the last checkpoint.";
}
