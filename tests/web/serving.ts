import { taskArguments } from "../command.ts";

/** A dashboard as a process of its own, with the permissions of its task. */
export class Served implements AsyncDisposable {
  private constructor(readonly child: Deno.ChildProcess, readonly url: string) {}

  /** Starts one and waits for its address. */
  static async start(store: string, ...args: string[]): Promise<Served> {
    const child = new Deno.Command(Deno.execPath(), {
      args: taskArguments("dashboard", ["--store", store, ...args]),
      env: { NO_COLOR: "1", RETORT_STORE: "" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let text = "";
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes("\n")) break;
    }
    if (!text.startsWith("http://127.0.0.1:")) throw new Error(`no address: ${text}`);
    return new Served(child, text.trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGTERM");
    } catch {
      // Ended already.
    }
    await this.child.status;
  }
}

/** Waits until a condition holds, looking every 50 ms. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  seconds = 20,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
