import assert from "node:assert/strict";
import { CHROMIUM, FLAGS } from "./browser.ts";

/** A message of the DevTools protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly value?: readonly TraceEvent[] };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** An event of a trace: times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

/** The longest that one task kept a page from answering a key, in milliseconds. */
export interface LongestTask {
  /** By the clock: what else the machine did meanwhile counts too. */
  readonly clock: number;
  /** Processor time of the page's own thread, which other work on the machine hardly changes. */
  readonly processor: number;
}

/** The mark by which the page's own thread is found in a trace. */
const MARK = "retort";

/**
 * A page of Chromium without a GPU that nothing but a few messages of the DevTools protocol drives. Libraries that drive browsers put
 * scripts of their own into pages and listen to all they do, which takes as long as what is to be measured.
 */
export class BarePage implements AsyncDisposable {
  /** Over when the last of the browser's processes has ended: until then one may write into the folder. */
  readonly #silent: Promise<void>;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #events: TraceEvent[] = [];
  #traced = () => {};
  #session: string | undefined;

  private constructor(silent: Promise<void>, folder: string, socket: WebSocket) {
    this.#silent = silent;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data) as Message;
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
      if (message.method === "Tracing.dataCollected") this.#events.push(...message.params!.value!);
      if (message.method === "Tracing.tracingComplete") this.#traced();
    });
  }

  /** Starts a browser with an empty page. */
  static async open(): Promise<BarePage> {
    const folder = await Deno.makeTempDir({ prefix: "retort-chromium-" });
    const child = new Deno.Command(CHROMIUM, {
      args: [
        ...[...FLAGS, "--headless", "--window-size=1200,900", "--remote-debugging-port=0"],
        ...[`--user-data-dir=${folder}`, "about:blank"],
      ],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let said = "", address: string | undefined;
    const listening = Promise.withResolvers<string>();
    const silent = child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({
        write(text) {
          said += text;
          address ??= /ws:\/\/\S+/.exec(said)?.[0];
          if (address !== undefined) listening.resolve(address);
        },
        close: () => listening.reject(new Error(said)),
      }),
    );
    silent.catch(listening.reject);
    const socket = new WebSocket(await listening.promise);
    await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
    const page = new BarePage(silent, folder, socket);
    const { targetId } = await page.#send<{ targetId: string }>("Target.createTarget", {
      url: "about:blank",
    });
    const attached = { targetId, flatten: true };
    ({ sessionId: page.#session } = await page.#send<{ sessionId: string }>(
      "Target.attachToTarget",
      attached,
    ));
    return page;
  }

  /** Goes to an address. */
  async goto(url: string): Promise<void> {
    await this.#send("Page.navigate", { url });
  }

  /** The value of an expression in the page; what a promise resolves to. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send<
      { result: { value: T }; exceptionDetails?: unknown }
    >("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    assert.equal(exceptionDetails, undefined, expression);
    return result.value;
  }

  /** Waits until an expression is true in the page, which is asked ten times a second. */
  async until(expression: string, seconds = 120): Promise<void> {
    for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
      if (await this.evaluate<boolean>(`!!(${expression})`).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never true: ${expression}\n${await this.evaluate("document.body.textContent")}`);
  }

  /** Types a text, all of it at once, where the focus is. */
  async type(text: string): Promise<void> {
    await this.#send("Input.insertText", { text });
  }

  /** Puts a text on the clipboard, which may take its time, and gives a function that pastes it where the focus then is. */
  async copy(text: string): Promise<() => Promise<void>> {
    await this.#send("Browser.grantPermissions", {
      permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"],
    });
    await this.#send("Page.bringToFront");
    await this.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    return async () => {
      await this.#send("Input.dispatchKeyEvent", { type: "keyDown", key: "v", commands: ["Paste"] });
    };
  }

  /** Drops a file on an element. */
  async drop(path: string, selector: string): Promise<void> {
    const [x, y] = await this.evaluate<[number, number]>(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center" });
      const { x, y, width, height } = element.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    })()`);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await this.#send("Input.dispatchDragEvent", { type, x, y, data });
    }
  }

  /** The longest task of the page's own thread while something is done; what workers do does not count. */
  async longestTask(act: () => Promise<void>): Promise<LongestTask> {
    this.#events.length = 0;
    const ended = new Promise<void>((resolve) => this.#traced = resolve);
    await this.#send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: { includedCategories: ["toplevel", "blink.user_timing"], excludedCategories: ["*"] },
    });
    try {
      await act();
      await this.evaluate(`void performance.mark(${JSON.stringify(MARK)})`);
    } finally {
      await this.#send("Tracing.end");
      await ended;
    }
    const mark = this.#events.find(({ name }) => name === MARK);
    assert.ok(mark !== undefined, "the page's thread in the trace");
    const tasks = this.#events.filter(({ name, pid, tid, tdur }) =>
      name === "ThreadControllerImpl::RunTask" && pid === mark.pid && tid === mark.tid && tdur !== undefined
    );
    assert.ok(tasks.length > 10, "a trace with the tasks of the page");
    const longest = (times: readonly number[]) => Math.max(...times) / 1000;
    return {
      clock: longest(tasks.map(({ dur }) => dur!)),
      processor: longest(tasks.map(({ tdur }) => tdur!)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#send("Browser.close").catch(() => {});
    await this.#silent;
    this.#socket.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  #next = 0;

  async #send<T>(method: string, params: object = {}): Promise<T> {
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#waiting.set(id, resolve);
    const whole = /^(Target|Tracing|Browser)\./.test(method);
    this.#socket.send(
      JSON.stringify({ id, method, params, ...(!whole && { sessionId: this.#session }) }),
    );
    const { result, error } = await promise;
    this.#waiting.delete(id);
    assert.equal(error, undefined, `${method}: ${error?.message}`);
    return result as T;
  }
}
