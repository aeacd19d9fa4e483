import { ROOT } from "../command.ts";

/** A fenced block of a Markdown file. */
export interface CodeBlock {
  /** Path of the Markdown file, relative to the project. */
  readonly file: string;
  /** Line of the file on which the code begins, counted from 1. */
  readonly line: number;
  /** What stands after the fence: `ts`, `sh`, … */
  readonly language: string;
  readonly code: string;
}

/** README.md and the pages in docs. */
export function pages(): string[] {
  const docs = [...Deno.readDirSync(`${ROOT}/docs`)].map((entry) => entry.name).filter((name) =>
    name.endsWith(".md")
  );
  return ["README.md", ...docs.sort().map((name) => `docs/${name}`)];
}

/** All fenced blocks of a page. */
export function codeBlocksOf(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; language: string; line: number; code: string[] } | undefined;
  Deno.readTextFileSync(`${ROOT}/${file}`).split("\n").forEach((text, index) => {
    const fence = /^ *(`{3,}|~{3,})(.*)$/.exec(text);
    if (open === undefined) {
      if (fence !== null) open = { fence: fence[1]!, language: fence[2]!.trim(), line: index + 2, code: [] };
    } else if (fence !== null && fence[1]!.startsWith(open.fence) && fence[2]!.trim() === "") {
      blocks.push({ file, line: open.line, language: open.language, code: `${open.code.join("\n")}\n` });
      open = undefined;
    } else open.code.push(text);
  });
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block is never closed`);
  return blocks;
}

/** Runs Deno in a folder, the project's if omitted. */
export async function deno(
  args: readonly string[],
  cwd = ROOT,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
