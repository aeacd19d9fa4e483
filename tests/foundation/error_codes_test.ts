import assert from "node:assert/strict";
import { errorCodes, type RetortCode } from "../../foundation/codes/mod.ts";
import { CallError, codeOf, type ErrorCode, inContext, RetortError } from "../../foundation/errors.ts";
import { CircuitError } from "../../circuits/mod.ts";
import { type Message, thrown } from "./thrown.ts";

const { messages, hints, raw, used } = await thrown();
const codes = Object.keys(errorCodes) as (RetortCode)[];

/** Words with a capital that a message may begin with. */
const NAMES = /^(Deno|WebGPU|WGSL|ONNX|HMM)\b/;

/**
 * Files and folders that make errors without a code: what they say reaches nobody as it is. TypeError, RangeError and SyntaxError
 * in `kernels` and `foundation` are faults of Retort itself.
 */
const WITHOUT: Record<string, string> = {
  "cli/commands/repro.ts": "why work was stopped",
  "cli/commands/run.ts": "why work was stopped",
  "cli/commands/verify.ts": "why work was stopped",
  "cli/main.ts": "a fault of Retort",
  "cli/commands/work.ts": "why work was stopped",
  "datasets/decompress.ts": "the reason in an ArchiveError",
  "datasets/text/charsmap.ts": "the reason why a tokenizer is not usable",
  "datasets/text/known_tokenizer.ts": "a fault of Retort",
  "datasets/text/passages.ts": "a fault of Retort",
  "datasets/text/pieces.ts": "the reason why a tokenizer is not usable",
  "datasets/text/tokenizer_json.ts": "the reason why a tokenizer is not usable",
  "kernels/gates/threads.ts": "a fault of Retort that comes from another thread",
  "kernels/webgpu/consent.ts": "what the device says",
  "kernels/webgpu/protocol.ts": "a fault of Retort that comes from another thread",
  "kernels/webgpu/sequence.ts": "the reason why work is done again",
  "runner/bundle.ts": "the reason why a stage has no fingerprint",
  "runner/cancel.ts": "why work was stopped",
  "runner/packages.ts": "the reason why a lock file is not readable",
  "runner/project.ts": "the reason why a deno.json is not readable",
  "runner/run_state.ts": "a fault of Retort",
  "runner/store/remote/remote.ts": "the reason why a remote does not answer",
  "teachers/special_pieces.ts": "the reason why a file is not readable",
  "web/dashboard/page/hub.ts": "shown by the page of a browser",
  "web/dashboard/page/node.tsx": "shown by the page of a browser",
};

Deno.test("every code has a subject and a problem, and sentences about it", () => {
  for (const code of codes) {
    const { means, example, remedy } = errorCodes[code];
    assert.match(code, /^[a-z]+(-[a-z]+)*\/[a-z]+(-[a-z]+)*$/);
    for (const text of [means, remedy]) assert.match(text, /^[A-Z`][^]*\.$/, `${code}: ${text}`);
    assert.doesNotMatch(example, /^\s*$|\.$/, code);
  }
});

Deno.test("every code is used", () => {
  assert.deepEqual(codes.filter((code) => !used.has(code)), []);
});

Deno.test("the example of every code is a message that the sources make", () => {
  const wrong = codes.filter((code) => {
    const own = messages.filter((message) => message.code === code);
    return own.length > 0 && !own.some((message) => patternOf(message).test(errorCodes[code].example));
  });
  assert.deepEqual(wrong.map((code) => ({ code, example: errorCodes[code].example })), []);
});

function patternOf({ pieces, open }: Message): RegExp {
  const escaped = pieces.map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[^]*");
  return new RegExp(`^${escaped}${open ? "" : "$"}`);
}

Deno.test("messages are clauses: no capital at the beginning, no full stop at the end, no line breaks around", () => {
  assert.ok(messages.length > 400, `the scan sees the sources: ${messages.length}`);
  const faults = messages.flatMap(({ file, code, pieces }) => {
    const [first, last] = [pieces[0]!, pieces.at(-1)!];
    const problems = [
      ...(/^[A-Z][a-z]/.test(first) && !NAMES.test(first) ? ["begins with a capital"] : []),
      ...(/(?<!\.\.)\.$/.test(last) ? ["ends with a full stop"] : []),
      ...(/^\s|\s$/.test(pieces.length === 1 ? first : "") ? ["has white space around it"] : []),
      ...(/[’“”]/.test(pieces.join("")) ? ['quotes otherwise than by ` or "'] : []),
    ];
    return problems.map((problem) => `${file}, ${code}: ${problem}: ${pieces.join("…")}`);
  });
  assert.deepEqual(faults, []);
});

Deno.test("hints are sentences", () => {
  assert.ok(hints.length > 150, `the scan sees the sources: ${hints.length}`);
  const faults = hints.filter(({ pieces }) =>
    /^[a-z]+ [a-z]/.test(pieces[0]!) || /[a-z]$/.test(pieces.at(-1)!)
  );
  assert.deepEqual(faults.map(({ file, pieces }) => `${file}: ${pieces.join("…")}`), []);
});

Deno.test("errors without a code are made only where nobody meets them", () => {
  const files = [
    ...new Set(
      raw.filter(({ file, name }) => name === "Error" || !/^(kernels|foundation)\//.test(file)).map((
        { file },
      ) => file),
    ),
  ].sort();
  assert.deepEqual(files.filter((file) => !(file in WITHOUT)), [], "give it a code, or say why not");
  assert.deepEqual(Object.keys(WITHOUT).filter((file) => !files.includes(file)), []);
});

Deno.test("a code that is not known, or none, does not compile", () => {
  // @ts-expect-error -- no such code
  const unknown = new RetortError("graph/no-such-code", "text");
  // @ts-expect-error -- a message alone
  const none = new CallError("text");
  // @ts-expect-error -- no such code
  const circuit = new CircuitError("circuit/no-such-code", "text");
  const own: ErrorCode = "own/anything";
  assert.equal(new RetortError(own, "text").code, "own/anything");
  assert.ok([unknown, none, circuit].every((error) => error instanceof RetortError));
});

Deno.test("context keeps code, hint and exit code of what it is about", () => {
  const inner = new CallError("graph/duplicate-name", "two nodes are named `a`", { hint: "Rename one." });
  const outer = inContext("pipeline `p`", inner, "stage/threw");
  assert.equal(outer.message, "pipeline `p`: two nodes are named `a`");
  assert.deepEqual([outer.code, outer.hint, outer.exitCode], ["graph/duplicate-name", "Rename one.", 2]);
  assert.equal(outer.cause, inner);
  assert.equal(inContext("node `a`", new TypeError("x"), "stage/threw").code, "stage/threw");
});

Deno.test("codes of the operating system and of packages are no codes of ours", () => {
  for (const code of ["ENOENT", "commander.help", "ERR_MODULE_NOT_FOUND", 7, undefined]) {
    assert.equal(codeOf(Object.assign(new Error("x"), { code })), undefined);
  }
  assert.equal(codeOf(undefined), undefined);
});
