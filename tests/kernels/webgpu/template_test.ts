import assert from "node:assert/strict";
import { specialise } from "../../../kernels/webgpu/template.ts";

Deno.test("templates: loops, conditions, arithmetic", () => {
  const template = [
    "//# for i in N",
    "  //# for j in 2",
    "  let c$i_$j = ${i * 4 + j % 2}u;",
    "  //# end",
    "//# end",
    "//# if KIND == b",
    "b",
    "//# else",
    "not b",
    "//# end",
    "//# if !OFF",
    "on, size ${(N + 1) / 2}",
    "//# end",
  ].join("\n");
  const text = specialise(template, { N: 2, KIND: "a", OFF: false });
  assert.deepEqual(text.split("\n").map((line) => line.trim()), [
    "let c0_0 = 0u;",
    "let c0_1 = 1u;",
    "let c1_0 = 4u;",
    "let c1_1 = 5u;",
    "not b",
    "on, size 1",
  ]);
});

Deno.test("templates: faults are named with their line", () => {
  for (
    const [template, message] of [
      ["a\n$NOPE", /line 2: nothing is named `NOPE`/],
      ["//# for i in 2", /line 1: no `end`/],
      ["//# end", /line 1: `end` without/],
      ["//# if A = 3\n//# end", /line 1: cannot read the condition/],
      ["${1 + }", /line 1: unexpected/],
      ["${(1}", /line 1: no closing bracket/],
      ["//# for i\n//# end", /line 1: expected `for NAME in COUNT`/],
      ["//# while\n//# end", /line 1: unknown instruction `while`/],
    ] as const
  ) assert.throws(() => specialise(template, { A: 1 }), message);
});
