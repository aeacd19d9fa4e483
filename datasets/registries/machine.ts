import process from "node:process";

/** The sources of registry settings; replaceable in tests. */
export interface Machine {
  /** An environment variable; undefined if it is not set. */
  env(name: string): string | undefined;
  /** The text of a file, or undefined if it cannot be read. */
  read(path: string): string | undefined;
  /** The output of a program, or undefined if it is missing or fails. */
  ask(program: string, args: readonly string[]): Promise<string | undefined>;
  /** Path of a package file that Deno itself has fetched. */
  readonly fetched: string;
  /** The working directory. */
  readonly folder: string;
  /** The operating system. */
  readonly os: string;
}

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  env: (name) => Deno.env.get(name),
  read(path) {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined; // Like npm and pip: an unreadable file has no settings.
    }
  },
  async ask(program, args) {
    try {
      // Wide, so that no URL is wrapped.
      const { code, stdout } = await new Deno.Command(program, { args: [...args], env: { COLUMNS: "2000" } })
        .output();
      return code === 0 ? new TextDecoder().decode(stdout) : undefined;
    } catch {
      return undefined;
    }
  },
  get fetched() {
    return import.meta.resolve("zod");
  },
  get folder() {
    return Deno.env.get("INIT_CWD") || process.cwd();
  },
  os: Deno.build.os,
};

/** The user's home folder. */
export function homeOf(machine: Machine): string | undefined {
  return machine.env(machine.os === "windows" ? "USERPROFILE" : "HOME");
}

/** A `key = value` line of an INI file with the section it is in; empty before the first section. */
export interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** Parses settings in the INI format of npm and pip: comments begin with `#` or `;`. */
export function settingsIn(text: string): Setting[] {
  const settings: Setting[] = [];
  let section = "";
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const head = /^\[(.*)\]$/.exec(line);
    if (head !== null) section = head[1]!.trim();
    else {
      // npm's keys may be URLs with a port, and pip's may be followed by a colon, so an equals sign takes precedence.
      const [, key, value] = /^([^=]*?)\s*=\s*(.*)$/.exec(line) ?? /^([^:]*?)\s*:\s*(.*)$/.exec(line) ?? [];
      if (key === undefined) continue;
      settings.push({ section, key, value: value!.replace(/^(["'])(.*)\1$/, "$2") });
    }
  }
  return settings;
}
