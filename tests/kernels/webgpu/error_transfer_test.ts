import assert from "node:assert/strict";
import { CircuitError } from "../../../circuits/mod.ts";
import { CallError, codeOf, RetortError } from "../../../foundation/errors.ts";
import { PassLostError } from "../../../kernels/kmeans/kernel.ts";
import { errorOf, plainError } from "../../../kernels/webgpu/protocol.ts";
import { RefusedError } from "../../../kernels/webgpu/consent.ts";

/** An error as the other thread gets it. */
function sent(error: unknown): Error & { hint?: string; exitCode?: number } {
  return errorOf(structuredClone(plainError(error)));
}

Deno.test("errors keep code, message, hint, exit code and faults from thread to thread", () => {
  const faults = [{ where: "node 1", problem: "it has no children" }];
  const errors = [
    new CircuitError("circuit/invalid", "this is not a valid circuit", { hint: "Look.", faults }),
    new RetortError("gpu/limits", "kernel k reads 9 buffers", { hint: "Use another device." }),
    new CallError("own/anything", "no"),
    new PassLostError("the GPU was lost"),
    new RefusedError("too large"),
  ];
  for (const error of errors) {
    const got = sent(error);
    assert.ok(got instanceof RetortError);
    assert.deepEqual(
      [got.code, got.message, got.hint, got.exitCode],
      [error.code, error.message, error.hint, error.exitCode],
    );
  }
  assert.deepEqual((sent(errors[0]) as CircuitError).faults, faults);
  assert.ok(sent(errors[3]) instanceof PassLostError);
});

Deno.test("a fault of Retort itself has no code on the other side either, but the stack of this one", () => {
  const fault = new TypeError("x is undefined");
  const got = sent(fault);
  assert.equal(codeOf(got), undefined);
  assert.equal(got.stack, fault.stack);
});
