/** A registry on this machine, with the packages of the real one behind it: packages are published and installed as they are by users. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import type { PackageFiles } from "../../packaging/files.ts";
import { tarballOf } from "../../packaging/tarball.ts";

/** The folder in which verdaccio is installed; what it fetches is kept there for later runs. */
const FOLDER = Deno.env.get("RETORT_VERDACCIO") ?? `${homedir()}/.cache/retort/verdaccio`;
const PROGRAM = `${FOLDER}/node_modules/verdaccio/bin/verdaccio`;

/** Always the same: Deno keeps packages by the address of their registry. */
const PORT = 48731;

/** Whether there are a registry and npm to talk to it. */
export function hasRegistry(): boolean {
  return existsSync(PROGRAM) && npm() !== undefined;
}

/** The folder of Node's programs. */
function npm(): string | undefined {
  return Deno.env.get("PATH")!.split(":").find((folder) => existsSync(`${folder}/npx`));
}

/** What a program printed and how it ended. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A registry while it runs. */
export class TestRegistry implements AsyncDisposable {
  readonly address = `http://127.0.0.1:${PORT}/`;
  /** Environment of programs that use it; Node's programs and the system's are found, Deno is not. */
  readonly env: Record<string, string> = {
    PATH: `${npm()}:/usr/bin:/bin`,
    HOME: homedir(),
    NO_COLOR: "1",
    NPM_CONFIG_REGISTRY: this.address,
    npm_config_cache: `${FOLDER}/npm`,
    npm_config_update_notifier: "false",
    DENO_DIR: `${FOLDER}/deno`,
  };
  readonly #process: Deno.ChildProcess;

  private constructor(config: string) {
    this.#process = new Deno.Command("node", {
      args: [PROGRAM, "--config", config, "--listen", `127.0.0.1:${PORT}`],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Starts it without any version of this project's package. */
  static async start(name: string): Promise<TestRegistry> {
    const behind = await output("npm", ["config", "get", "registry"]);
    const config = `${FOLDER}/retort.yaml`;
    for (const kept of [`storage/${name}`, `deno/npm/${PORT}/${name}`]) {
      await Deno.remove(`${FOLDER}/${kept}`, { recursive: true }).catch(() => {});
    }
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        storage: `${FOLDER}/storage`,
        uplinks: { npm: { url: behind.stdout.trim(), timeout: "120s", maxage: "1d" } },
        packages: { [name]: { access: "$all", publish: "$all" }, "**": { access: "$all", proxy: "npm" } },
        max_body_size: "50mb",
        log: { type: "stdout", level: "fatal" },
      }),
    );
    const ping = () =>
      fetch(`http://127.0.0.1:${PORT}/-/ping`).then((answer) => answer.text()).catch(() => undefined);
    // One that was left behind would answer in the place of this one, with what was published there.
    assert.equal(await ping(), undefined, `something else listens on port ${PORT}: end it`);
    const registry = new TestRegistry(config);
    for (let tries = 0;; tries++) {
      if (await ping() !== undefined) return registry;
      assert.ok(tries < 300, "the registry does not answer");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Runs a program as a user of this registry. */
  async run(folder: string, program: string, ...args: string[]): Promise<Printed> {
    return await this.runWith({}, folder, program, ...args);
  }

  /** The same with variables of its own. */
  async runWith(
    env: Readonly<Record<string, string>>,
    folder: string,
    program: string,
    ...args: string[]
  ): Promise<Printed> {
    return await output(program, args, { cwd: folder, clearEnv: true, env: { ...this.env, ...env } });
  }

  /** Starts a program as a user of this registry; what it prints is read from its output. */
  spawn(folder: string, program: string, ...args: string[]): Deno.ChildProcess {
    return new Deno.Command(program, {
      args,
      cwd: folder,
      clearEnv: true,
      env: this.env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  }

  /** Publishes a package as `deno task pack` makes it. */
  async publish(packed: PackageFiles): Promise<void> {
    const folder = await Deno.makeTempDir({ prefix: "retort-pack-" });
    try {
      await Deno.writeFile(`${folder}/package.tgz`, (await tarballOf(packed)).tarball);
      // npm wants a token, whoever may publish.
      const token = `--${this.address.replace("http:", "")}:_authToken=none`;
      const sent = await this.run(folder, "npm", "publish", "package.tgz", token, "--tag", "latest");
      assert.equal(sent.code, 0, sent.stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

async function output(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env" | "clearEnv"> = {},
): Promise<Printed> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
