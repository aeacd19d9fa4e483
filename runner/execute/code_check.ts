import { fileURLToPath } from "node:url";
import { digestBytes, digestJson, type JsonObject } from "../../foundation/canonical.ts";
import { getOrMake } from "../../foundation/newer.ts";
import { fileIdentity } from "../../foundation/file_digest.ts";
import { type Bundle, Bundler } from "../bundle.ts";
import { configAbove, readProject } from "../project.ts";
import { Packages } from "../packages.ts";
import type { Job, Outcome } from "./job.ts";

/** A project whose code is compared. */
interface CheckedProject {
  readonly packages: Packages;
  readonly bundler: Bundler;
  /** By module and export. */
  readonly bundles: Map<string, { readonly bundle: Bundle; readonly identities: string }>;
}

/** Compares code on this machine with that of keys: of jobs that another machine has planned. */
export class CodeCheck implements AsyncDisposable {
  /** By path of their `deno.json`. */
  readonly #projects = new Map<string, CheckedProject>();

  /** The failure of a job whose code is another one here; undefined where it is the same. */
  async fault(job: Job): Promise<(Outcome & { kind: "failed" }) | undefined> {
    const { code } = job.components;
    const folder = new URL(".", job.module);
    const sources = Object.entries(code.sources ?? {}).every(([path, digest]) => {
      const url = new URL(path.split("/").map(encodeURIComponent).join("/"), folder);
      return digestBytes(Deno.readFileSync(url)) === digest;
    });
    const other = sources ? await this.#other(job) : `the code of stage \`${job.stage}\` is`;
    if (other === undefined) return undefined;
    return {
      kind: "failed",
      code: "run/other-code",
      error: `${other} not what the key of the node says, on the machine of this worker`,
      hint: job.code === undefined
        ? "Bring the project's folder there to the same state, lock file included, and start the worker again."
        : "Where the worker has the run's own Retort, something was edited just when the run began: run again.",
    };
  }

  /** What of a job's modules and packages is another one. */
  async #other(job: Job): Promise<string | undefined> {
    const { code } = job.components;
    // Its author says by a version what counts.
    if (Object.keys(code.modules).length === 0) return undefined;
    const project = this.#projectOf(job);
    const { packages } = project;
    const { digest, packages: imports } = await this.#bundle(project, job);
    const inside = job.path.slice(1);
    const whole = code.sources === undefined && inside.length === 0
      ? digest
      : digestJson([digest, (code.sources ?? {}) as JsonObject, [...inside]]);
    const locked = Object.fromEntries(imports.map((specifier) => packages.locked(specifier)));
    const other = Object.keys(code.packages).find((name) => code.packages[name] !== locked[name]);
    if (other !== undefined) {
      const here = locked[other] === undefined ? "not the one" : `of version ${locked[other]},`;
      return `the package ${other} is ${here}`;
    }
    return whole === code.digest ? undefined : `the code of stage \`${job.stage}\` is`;
  }

  #projectOf({ module, config }: Job): CheckedProject {
    const path = config ?? configAbove(fileURLToPath(new URL(".", module)))!;
    return getOrMake(this.#projects, path, () => {
      const packages = Packages.load(readProject(path));
      return { packages, bundler: new Bundler(packages), bundles: new Map() };
    });
  }

  async #bundle({ bundler, bundles }: CheckedProject, { module, path }: Job): Promise<Bundle> {
    const id = `${module} ${path[0]}`;
    const known = bundles.get(id);
    if (known !== undefined && identitiesOf(known.bundle) === known.identities) return known.bundle;
    const bundle = await bundler.bundle(module, path[0]!);
    bundles.set(id, { bundle, identities: identitiesOf(bundle) });
    return bundle;
  }

  /** Forgets a project that is here no more, by the path of its `deno.json`. */
  forget(config: string): void {
    this.#projects.delete(config);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { bundler } of this.#projects.values()) await bundler[Symbol.asyncDispose]();
  }
}

function identitiesOf({ files }: Bundle): string {
  return files.map((file) => fileIdentity(file) ?? "").join("\n");
}
