import { fileURLToPath } from "node:url";
import { digestBytes, digestJson, type JsonObject } from "../../foundation/canonical.ts";
import { fileIdentity } from "../../foundation/file_digest.ts";
import { type Bundle, Bundler } from "../bundle.ts";
import { configAbove, readProject } from "../project.ts";
import { Packages } from "../packages.ts";
import type { Job, Outcome } from "./job.ts";

/** Compares code on this machine with that of keys: of jobs that another machine has planned. */
export class CodeCheck implements AsyncDisposable {
  readonly #projects = new Map<string, { readonly packages: Packages; readonly bundler: Bundler }>();
  readonly #bundles = new Map<string, { readonly bundle: Bundle; readonly identities: string }>();

  /** The failure of a job whose code is another one here; undefined where it is the same. */
  async fault(job: Job): Promise<(Outcome & { kind: "failed" }) | undefined> {
    const { code } = job.components;
    const pinned = Object.keys(code.modules).length === 0;
    if (pinned) return undefined; // Its author says by a version what counts.
    const { packages, bundler } = this.#projectOf(job);
    const { digest, packages: imports } = await this.#bundle(bundler, job);
    const inside = job.path.slice(1);
    const whole = code.sources === undefined && inside.length === 0
      ? digest
      : digestJson([digest, (code.sources ?? {}) as JsonObject, [...inside]]);
    const locked = Object.fromEntries(imports.map((specifier) => packages.locked(specifier)));
    const other = Object.keys(code.packages).find((name) => code.packages[name] !== locked[name]);
    const folder = new URL(".", job.module);
    const sources = Object.entries(code.sources ?? {}).every(([path, digest]) => {
      const url = new URL(path.split("/").map(encodeURIComponent).join("/"), folder);
      return digestBytes(Deno.readFileSync(url)) === digest;
    });
    if (whole === code.digest && other === undefined && sources) return undefined;
    const what = other === undefined
      ? `the code of stage \`${job.stage}\` is`
      : `the package ${other} is ${
        locked[other] === undefined ? "not the one" : `of version ${locked[other]},`
      }`;
    return {
      kind: "failed",
      code: "run/other-code",
      error: `${what} not what the key of the node says, on the machine of this worker`,
      hint:
        "Bring the project's folder there to the same state, lock file included, and start the worker again.",
    };
  }

  #projectOf({ module, config }: Job) {
    const path = config ?? configAbove(fileURLToPath(new URL(".", module)))!;
    let project = this.#projects.get(path);
    if (project === undefined) {
      const packages = Packages.load(readProject(path));
      this.#projects.set(path, project = { packages, bundler: new Bundler(packages) });
    }
    return project;
  }

  async #bundle(bundler: Bundler, { module, path }: Job): Promise<Bundle> {
    const id = `${module} ${path[0]}`;
    const known = this.#bundles.get(id);
    if (known !== undefined && identitiesOf(known.bundle) === known.identities) return known.bundle;
    const bundle = await bundler.bundle(module, path[0]!);
    this.#bundles.set(id, { bundle, identities: identitiesOf(bundle) });
    return bundle;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { bundler } of this.#projects.values()) await bundler[Symbol.asyncDispose]();
  }
}

function identitiesOf({ files }: Bundle): string {
  return files.map((file) => fileIdentity(file) ?? "").join("\n");
}
