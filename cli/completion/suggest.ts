import type { CommandWords, OptionWords } from "./words.ts";

/** A word that may stand where the cursor is. */
export interface Suggestion {
  /** The whole word. */
  readonly word: string;
  /** What it is, for people. */
  readonly about: string;
}

/** Where names come from. Each gives none where it cannot tell. */
export interface WordSources {
  /** Nodes and stages of the newest run of a pipeline file, or of the newest run of all. */
  nodes(file: string | undefined): Suggestion[];
  /** Runs, newest first. */
  runs(): Suggestion[];
  /** Names of outputs and nodes of the newest runs. */
  references(): Suggestion[];
  pipelines(): Suggestion[];
  tags(): Suggestion[];
  /** `name=` of the parameters of a pipeline's newest run. */
  parameters(file: string | undefined): Suggestion[];
  /** Files and folders that a word may mean; `ending` of the files. */
  files(word: string, ending: string): Suggestion[];
}

/** What an argument or the value of an option is, by its name in the help. */
const KINDS: Readonly<Record<string, keyof WordSources | "pipeline">> = {
  file: "pipeline",
  node: "nodes",
  nodes: "nodes",
  run: "runs",
  runs: "runs",
  ref: "references",
  dir: "files",
  path: "files",
  tag: "tags",
  "name=value": "parameters",
  "--pipeline": "pipelines",
  "--profile": "files",
};

/**
 * The words that may stand at the end of a command line.
 *
 * @param words those before it, the name of the command first, and the one that is being typed, maybe empty.
 */
export function suggestions(
  words: readonly string[],
  commands: readonly CommandWords[],
  sources: WordSources,
): Suggestion[] {
  const typed = words.at(-1) ?? "";
  return offered(words, commands, sources).filter(({ word }) => word.startsWith(typed));
}

function offered(
  words: readonly string[],
  commands: readonly CommandWords[],
  sources: WordSources,
): Suggestion[] {
  const typed = words.at(-1) ?? "", before = words.slice(0, -1);
  const command = commands.find(({ name }) => name.split(" ").every((word, i) => before[i] === word));
  if (command === undefined) {
    const rest = commands.filter(({ name }) =>
      name.startsWith(`${before.join(" ")} `) || before.length === 0
    );
    const next = rest.map(({ name, summary }) => {
      const left = name.split(" ").slice(before.length);
      return { word: left[0]!, about: left.length === 1 ? summary : "" };
    });
    return next.filter(({ word }, i) => next.findIndex((one) => one.word === word) === i);
  }
  const given = argumentsIn(before.slice(command.name.split(" ").length), command);
  const file = command.arguments[0]?.name === "file" ? given.words[0] : undefined;
  const valueOf = (option: OptionWords, word: string) =>
    option.choices?.map((choice) => ({ word: choice, about: "" })) ??
      named(
        option.flags.find((flag) => KINDS[flag] !== undefined) ?? option.value ?? "",
        word,
        file,
        sources,
      );
  if (given.open !== undefined) return valueOf(given.open, typed);
  const [, flag, word] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
  if (flag !== undefined) {
    const option = command.options.find(({ flags }) => flags.includes(flag));
    const values = option?.value === undefined ? [] : valueOf(option, word!);
    return values.map((one) => ({ ...one, word: `${flag}=${one.word}` }));
  }
  if (typed.startsWith("-") && !given.ended) {
    const left = command.options.filter(({ flags, repeated }) =>
      repeated || !flags.some((one) => given.flags.has(one))
    );
    return left.map(({ flags, summary }) => ({ word: flags.at(-1)!, about: summary }));
  }
  const index = Math.min(given.words.length, command.arguments.length - 1);
  const argument = command.arguments[index];
  if (argument === undefined || index < given.words.length && !argument.variadic) return [];
  return argument.choices?.map((choice) => ({ word: choice, about: "" })) ??
    named(argument.name, typed, file, sources);
}

/** What there is of a kind. */
function named(kind: string, word: string, file: string | undefined, sources: WordSources): Suggestion[] {
  switch (KINDS[kind]) {
    case undefined:
      return [];
    case "pipeline":
      return sources.files(word, ".ts");
    case "files":
      return sources.files(word, "");
    case "nodes":
      return sources.nodes(file);
    case "parameters":
      return sources.parameters(file);
    default:
      return (sources[KINDS[kind] as "runs"])();
  }
}

/** What stands before the cursor: arguments, flags, and an option that waits for its value. */
function argumentsIn(words: readonly string[], command: CommandWords) {
  const given = { words: [] as string[], flags: new Set<string>(), ended: false };
  let open: OptionWords | undefined;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (given.ended || !word.startsWith("-")) given.words.push(word);
    else if (word === "--") given.ended = true;
    else {
      const [flag, value] = word.split("=", 2) as [string, string?];
      given.flags.add(flag);
      const option = command.options.find(({ flags }) => flags.includes(flag));
      if (option?.value !== undefined && value === undefined) open = option;
    }
  }
  return { ...given, open };
}
