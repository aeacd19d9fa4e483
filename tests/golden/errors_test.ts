import assert from "node:assert/strict";
import { errorCodes } from "../../foundation/codes/mod.ts";

const PAGE = new URL("../../docs/errors.md", import.meta.url);

const INTRODUCTION = `# Errors

Every error that Retort reports has a **code**. A terminal shows it in brackets:

\`\`\`text
error[graph/duplicate-name]: two nodes are named \`train\`; names must be unique
\`\`\`

The message says what is wrong, where, and what was expected; a line below it says what to do, where that depends on the case.
Codes stay the same from one version to the next, messages may change: compare codes in scripts.

- With \`--json\`, a command that fails prints \`{"error": {"code", "message", "hint"}}\`, \`hint\` being null where there is none. What
  \`run --json\` prints of a failed node has \`code\`, \`error\` and \`hint\`, and \`runs --json RUN\` has the code as well: it is recorded.
- The exit code is 2 when the call was wrong (option, parameter, pipeline), 1 when a run or command failed, 130 when it was
  interrupted.
- In code, errors are instances of \`RetortError\`, with \`code\`, \`message\`, \`hint\` and \`exitCode\`. Those of circuits are
  \`CircuitError\`, with all \`faults\` in a list.
- Your own stages and pipelines may throw \`new RetortError("own/no-labels", "the table has no labels", { hint: "…" })\`: a code
  that begins with \`own/\` is shown and recorded like the others. What else a stage throws gets the code \`stage/threw\`.

This page is made from \`foundation/codes/\` by \`deno task golden\`.
`;

/** docs/errors.md as the codes are now. */
function errorsPage(): string {
  const codes = Object.entries(errorCodes);
  const bySubject = Map.groupBy(codes, ([code]) => code.slice(0, code.indexOf("/")));
  const sections = [...bySubject].map(([subject, entries]) =>
    [
      `## ${subject}`,
      ...entries.map(([code, { means, example, remedy }]) =>
        `### \`${code}\`\n\n${means}\n\n\`\`\`text\n${example}\n\`\`\`\n\n${remedy}`
      ),
    ].join("\n\n")
  );
  return `${INTRODUCTION}\n${sections.join("\n\n")}\n`;
}

Deno.test("golden: docs/errors.md tells of every code", () => {
  if (Deno.env.get("RETORT_RENEW_GOLDEN") === "1") return Deno.writeTextFileSync(PAGE, errorsPage());
  assert.equal(Deno.readTextFileSync(PAGE), errorsPage(), "`deno task golden` makes the page anew");
});
