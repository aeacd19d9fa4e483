import assert from "node:assert/strict";
import { command, fixture, Folder, ROOT } from "../command.ts";
import { needs } from "../needs.ts";
import { shellWords } from "../../cli/completion/shell_words.ts";
import { completionScript, SHELLS } from "../../cli/completion/scripts.ts";
import { suggestions, type WordSources } from "../../cli/completion/suggest.ts";
import { COMMAND_WORDS } from "../../cli/completion/words.ts";
import { PipelineSession } from "../../runner/session.ts";

const PIPELINE = "tests/fixtures/pipelines/temporary.ts";

function run(program: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { stdout, stderr, code } = new Deno.Command(program, { args: [...args], cwd: ROOT, env })
    .outputSync();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  return text.decode(stdout);
}

const there = (program: string) =>
  Deno.env.get("PATH")!.split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });

/** A store in which the fixture ran once. */
async function storeOfFlow(folder: Folder): Promise<string> {
  await using session = await PipelineSession.open({ file: fixture("temporary"), store: folder.store });
  const { run } = await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
  return run;
}

/** What a shell offers at the end of a line, sorted. */
const ASK: Readonly<Record<string, (script: string, line: string) => string>> = {
  // readline hands over what follows the last of the characters at which it breaks words.
  bash: (script, line) =>
    run("bash", [
      "-c",
      `source "$1"; COMP_LINE=$2 COMP_POINT=\${#2} COMP_WORDS=($2) COMP_CWORD=\${#COMP_WORDS[@]}
       word=\${2##*[ =:@]}; name=\${2%% *}
       case $name in deno) _retort_complete_deno $name "$word" ;; *) _retort_complete $name "$word" ;; esac
       printf '%s\\n' "\${COMPREPLY[@]/#/\${2:0:$((\${#2} - \${#word}))}}"`,
      "bash",
      script,
      line,
    ]),
  zsh: (script, line) =>
    run("zsh", [
      ...["-f", "-c"],
      `compdef() { }; compadd() { local name=\${@[-1]}; print -rl -- "\${(@P)name}" }; _default() { }
       source "$1"; words=(\${(z)2}); [[ $2 == *' ' ]] && words+=(""); CURRENT=$#words PREFIX=$words[-1]
       [[ $words[1] == deno ]] && _retort_complete_deno || _retort_complete`,
      "zsh",
      script,
      line,
    ]),
  fish: (script, line) =>
    run("fish", ["--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line]),
};

Deno.test({
  name:
    "bash, zsh and fish complete commands, options, choices, nodes, stages, runs and files in the shell itself",
  ...needs("shells", ["bash", "zsh", "fish"].every(there)),
  async fn() {
    using folder = new Folder();
    const id = await storeOfFlow(folder);
    const files = () => [...Deno.readDirSync(folder.store)].map(({ name }) => name).sort();
    const before = files();
    Deno.env.set("RETORT_STORE", folder.store);
    try {
      for (const shell of SHELLS) {
        const script = `${folder.path}/script.${shell}`;
        Deno.writeTextFileSync(script, completionScript(shell));
        /** Last words of what is offered. */
        const offered = (line: string) =>
          ASK[shell]!(script, line).trim().split("\n").map((text) => text.split("\t")[0]!)
            .map((text) => text.startsWith(line.split(" ")[0]!) ? text.split(" ").at(-1)! : text)
            .filter((word) => word !== "").sort();
        const begins = shell === "fish" ? ["retort"] : ["retort", "deno task"];
        for (const begin of begins) {
          assert.deepEqual(offered(`${begin} run`), ["run", "runs"], shell);
          assert.deepEqual(offered(`${begin} run ${PIPELINE} --keep`), ["--keep-temporary"], shell);
          assert.deepEqual(
            offered(`${begin} run ${PIPELINE} --only flow.count@letter=`),
            ["flow.count@letter=O", "flow.count@letter=Q"],
            shell,
          );
          assert.deepEqual(
            offered(`${begin} graph ${PIPELINE} --from stage:flow.w`),
            ["stage:flow.words"],
            shell,
          );
          assert.deepEqual(offered(`${begin} runs 2`), [id], shell);
        }
        assert.deepEqual(offered("retort export su"), ["sum"], shell);
        assert.deepEqual(offered("retort run --engine=w"), ["--engine=webgpu"], shell);
        assert.deepEqual(offered("retort run tests/fixtures/pipelines/temp"), [PIPELINE], shell);
        assert.deepEqual(offered(`retort run ${PIPELINE} --set lett`), ["letters="], shell);
        assert.deepEqual(offered("retort completion f"), ["fish"], shell);
      }
    } finally {
      Deno.env.delete("RETORT_STORE");
    }
    assert.deepEqual(files(), before, "a question leaves nothing in the store");
  },
});

Deno.test("a question is answered fast, and quietly where the store is broken or not there", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.store);
  Deno.writeTextFileSync(`${folder.store}/records.sqlite`, "no database");
  const script = await command("completion", ["bash"]);
  assert.equal(script.code, 0, script.stderr);
  const [, line] = /done|< <\((.*) "\$\{COMP_LINE/.exec(script.stdout.slice(script.stdout.indexOf("< <(")))!;
  const [program, ...args] = line!.split(" ");
  for (const store of [folder.store, `${folder.path}/none`]) {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      const answer = run(program!, [...args, `retort run ${PIPELINE} --only flow.`], { RETORT_STORE: store });
      times.push(performance.now() - began);
      assert.equal(answer, "flow.\n");
    }
    // 150 ms on a machine that has time for it.
    assert.ok(Math.min(...times) < 1500, times.join());
  }
  assert.deepEqual([...Deno.readDirSync(folder.store)].map(({ name }) => name), ["records.sqlite"]);
  assert.equal((await command("completion", ["tcsh"])).code, 2);
});

Deno.test("lines are cut into words as shells do it", () => {
  for (
    const [line, words] of [
      ["", [""]],
      ["retort ", ["retort", ""]],
      [`retort run 'a b' "c d`, ["retort", "run", "a b", "c d"]],
      ["retort run a\\ b '' ", ["retort", "run", "a b", "", ""]],
      ["cd x && retort ru", ["retort", "ru"]],
      ["RETORT=1; retort show 'x;y' z", ["retort", "show", "x;y", "z"]],
    ] as const
  ) assert.deepEqual(shellWords(line), words, line);
});

Deno.test("what may stand where is known from what stands before", () => {
  const one = (word: string) => () => [{ word, about: "" }];
  const sources: WordSources = {
    ...{ nodes: one("NODE"), runs: one("RUN"), references: one("REF"), pipelines: one("PIPELINE") },
    ...{ tags: one("TAG"), parameters: one("PARAMETER"), files: (_, ending) => one(`FILE${ending}`)() },
  };
  const after = (line: string) =>
    suggestions(line.split(" "), COMMAND_WORDS, sources).map(({ word }) => word);
  for (
    const [line, words] of [
      ["data ", ["list", "fetch"]],
      ["run ", ["FILE.ts"]],
      ["run x.ts ", []],
      ["run x.ts --only ", ["NODE"]],
      ["run --only a ", ["FILE.ts"]],
      ["run x.ts --jobs ", []],
      ["run x.ts --store ", ["FILE"]],
      ["accept x.ts ", ["NODE"]],
      ["accept x.ts a b ", ["NODE"]],
      ["compare a ", ["RUN"]],
      ["runs --pipeline ", ["PIPELINE"]],
      ["runs --status=k", ["--status=killed"]],
      ["export REF ", ["FILE"]],
      ["runs --tagged ", ["TAG"]],
      ["nothing ", []],
      ["run -- --onl", []],
    ] as const
  ) assert.deepEqual(after(line), words, line);
  assert.ok(!after("run x.ts --dry-run --dry").includes("--dry-run"), "once is enough");
  assert.ok(after("run x.ts --only a --onl").includes("--only"), "that may be repeated");
});
