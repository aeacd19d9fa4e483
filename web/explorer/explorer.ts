import { CallError, RetortError } from "../../foundation/errors.ts";
import { isPacked } from "../../foundation/own_package.ts";
import { byteLines } from "../../runner/execute/protocol.ts";
import { programArguments } from "../../runner/program.ts";
import { configAbove } from "../../runner/project.ts";
import { type Answer, type Asked, type FromExplorer, type Question, toldOf } from "./protocol.ts";

const PROCESS = new URL("./process.ts", import.meta.url);

/** Permissions of the process: it may read the store and load ONNX Runtime, but has no network, writing or subprocesses. */
const PERMISSIONS = ["--allow-read", "--allow-env", "--allow-sys", "--allow-ffi"];

/** Milliseconds of idle time after which the process is ended to free its models' memory. */
const IDLE = 5 * 60_000;

/** A question that is waiting or being answered. */
interface Pending {
  readonly asked: Asked;
  readonly asker: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Answers questions about models in a separate process, started on the first question, so that the dashboard stays
 * responsive however large a model is. Handles one question at a time; a newer question from a page cancels its waiting
 * one.
 */
export class Explorer implements AsyncDisposable {
  #child: { process: Deno.ChildProcess; input: WritableStreamDefaultWriter<Uint8Array> } | undefined;
  #waiting: Pending[] = [];
  #current: Pending | undefined;
  #next = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** Settles when every started process has ended. */
  #over: Promise<unknown> = Promise.resolve();

  /** @param idle milliseconds without a question after which the process is ended. */
  constructor(readonly idle: number = IDLE) {}

  /**
   * Asks about a model of a store.
   * @param asker identifies the page: its earlier questions that are still waiting are cancelled
   * @throws CallError when the question does not fit the model
   * @throws RetortError when the model cannot be opened or asked, or the asker has asked again
   */
  ask(store: string, question: Question, asker: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { mine = [], others = [] } = Object.groupBy(
      this.#waiting,
      (one) => one.asker === asker ? "mine" : "others",
    );
    for (const one of mine) {
      one.reject(new RetortError("page/superseded", "another question came after this one"));
    }
    this.#waiting = [...others, { asked: { id: this.#next++, store, question }, asker, resolve, reject }];
    this.#go();
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#waiting.splice(0)) {
      one.reject(new RetortError("page/superseded", "the dashboard was closed"));
    }
    kill(this.#child?.process);
    await this.#over;
    clearTimeout(this.#idle);
  }

  #go(): void {
    if (this.#current !== undefined) return;
    clearTimeout(this.#idle);
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) {
      this.#idle = setTimeout(() => this.#end(), this.idle);
      Deno.unrefTimer(this.#idle);
      return;
    }
    this.#child ??= this.#start();
    const line = new TextEncoder().encode(`${JSON.stringify(this.#current.asked)}\n`);
    this.#child.input.write(line).catch(() => {}); // It ended; `#watch` handles that.
  }

  #start() {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", ...PERMISSIONS],
        // A clone asks with its own packages; npm's package is found through the project that it is called in.
        ...programArguments(PROCESS, isPacked ? configAbove(Deno.cwd()) : undefined),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#over = Promise.all([this.#over, this.#watch(process)]);
    return { process, input: process.stdin.getWriter() };
  }

  /** Ends the idle process. A question that arrives before it is gone starts another one. */
  #end(): void {
    kill(this.#child?.process);
    this.#child = undefined;
  }

  async #watch(process: Deno.ChildProcess): Promise<void> {
    for await (const line of byteLines(process.stdout)) {
      const told = toldOf(line);
      if (told !== undefined) this.#receive(told);
    }
    const { code, signal } = await process.status;
    if (this.#child?.process !== process) return;
    this.#child = undefined;
    this.#settle((one) =>
      one.reject(
        new RetortError(
          "page/model-process",
          `the process that answers questions ended ${
            signal === null ? `with code ${code}` : `by ${signal}`
          }`,
          { hint: "The model may be too large for this machine's memory." },
        ),
      )
    );
  }

  #receive(told: FromExplorer): void {
    if (this.#current?.asked.id !== told.id) return;
    this.#settle((one) => {
      if ("answer" in told) return one.resolve(told.answer);
      const kind = told.wrongCall ? CallError : RetortError;
      one.reject(new kind(told.code, told.error, { hint: told.hint ?? undefined }));
    });
  }

  #settle(settle: (one: Pending) => void): void {
    const one = this.#current;
    this.#current = undefined;
    if (one !== undefined) settle(one);
    this.#go();
  }
}

function kill(process: Deno.ChildProcess | undefined): void {
  try {
    process?.kill("SIGKILL");
  } catch {
    // It has already ended.
  }
}
