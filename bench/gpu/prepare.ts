/**
 * Fills a folder with all that bench/gpu.sh needs on a machine without a network: Deno, the modules and npm packages of the benchmarks,
 * the Vulkan loader, and PyJuice for the peer.
 *
 *     bench/gpu.sh --prepare FOLDER [--without-peer]
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What is run there, and the folders that hold its modules. */
const ENTRIES = ["bench/engines.ts", "bench/epochs.ts", "bench/gpu/doctor.ts"];
const MODULES = ["bench", "circuits", "foundation", "kernels"];
/** Of a package, what no Linux on x86-64 runs. */
const LEFT_OUT = /\/bin\/napi-v\d+\/(?!linux\/x64\/)|\.map$|\.d\.[cm]?ts$|\/README[^/]*$|\/docs\//i;
const MOST_BYTES = 60 * 2 ** 20;

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: { "without-peer": { type: "boolean" } },
});
if (folder === undefined) {
  console.error("bench/gpu.sh --prepare needs the folder to fill");
  Deno.exit(2);
}

Deno.mkdirSync(`${folder}/lib`, { recursive: true });
const scratch = Deno.makeTempDirSync({ prefix: "retort-gpu-" });
try {
  copyModules(`${scratch}/retort`);
  copyPackages(`${scratch}/retort`, `${scratch}/deno`);
  Deno.copyFileSync(Deno.execPath(), `${scratch}/deno-program`);
  // As small as XZ_OPT says: a dry run has no time for the smallest.
  run(["tar", "--create", "--xz", "--file", `${folder}/retort.tar.xz`, "--directory", scratch, "."], {
    XZ_OPT: Deno.env.get("XZ_OPT") ?? "-9 --threads=1",
  });
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
Deno.copyFileSync(`${ROOT}/bench/gpu.sh`, `${folder}/gpu.sh`);
copyLoader(`${folder}/lib`);
if (!options["without-peer"]) {
  const requirements = `${ROOT}/bench/peers/juice_requirements.txt`;
  run([
    "python3",
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--dest",
    `${folder}/wheels`,
    "-r",
    requirements,
  ]);
}
const bytes = bytesOf(folder);
console.log(`${folder}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
if (bytes > MOST_BYTES) {
  console.error(`that is more than ${MOST_BYTES / 2 ** 20} MiB`);
  Deno.exit(1);
}

/** The modules, with a configuration that knows the packages which they import and no others. */
function copyModules(to: string): void {
  for (const one of MODULES) {
    const files = run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", one])
      .trim().split("\n");
    for (const file of files.filter((path) => !path.startsWith("bench/history/"))) {
      copy(`${ROOT}/${file}`, `${to}/${file}`);
    }
  }
}

/** What `deno info` says of the entries. */
interface Info {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<
    Record<
      string,
      { readonly name: string; readonly dependencies: readonly string[]; readonly localPath: string }
    >
  >;
}

/** The packages that the entries import, at any depth, as Deno's cache holds them. */
function copyPackages(project: string, cache: string): void {
  const entries = ENTRIES.map((entry) => `${ROOT}/${entry}`);
  run([Deno.execPath(), "cache", "--quiet", "--no-check", ...entries]);
  const needed = new Map<string, Info["npmPackages"][string]>();
  for (const entry of entries) {
    const info = JSON.parse(run([Deno.execPath(), "info", "--json", entry])) as Info;
    const add = (id: string) => {
      const found = info.npmPackages[id];
      if (found === undefined || needed.has(id)) return;
      needed.set(id, found);
      found.dependencies.forEach(add);
    };
    for (const { npmPackage } of info.modules) if (npmPackage !== undefined) add(npmPackage);
  }
  for (const { localPath } of needed.values()) {
    const at = localPath.slice(localPath.indexOf("/npm/"));
    for (const file of filesOf(localPath)) {
      if (!LEFT_OUT.test(file)) copy(`${localPath}${file}`, `${cache}${at}${file}`);
    }
  }
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    imports: Record<string, string>;
  };
  const names = new Set(Array.from(needed.values(), ({ name }) => name));
  const known = Object.fromEntries(Object.entries(imports).filter(([name]) => names.has(name)));
  Deno.writeTextFileSync(
    `${project}/deno.json`,
    JSON.stringify({ imports: known, nodeModulesDir: "none" }, null, 2),
  );
  copy(`${ROOT}/deno.lock`, `${project}/deno.lock`);
  console.error(`${needed.size} packages`);
}

/** The Vulkan loader of this machine; its drivers come with the card. */
function copyLoader(to: string): void {
  const path = /libvulkan\.so\.1 \(libc6,x86-64\) => (\S+)/.exec(run(["ldconfig", "-p"]))?.[1];
  if (path === undefined) {
    console.error("this machine has no Vulkan loader (libvulkan1): the other one must have it");
    return;
  }
  copy(Deno.realPathSync(path), `${to}/libvulkan.so.1`);
}

function* filesOf(folder: string, below = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${folder}${below}`)) {
    if (isDirectory) yield* filesOf(folder, `${below}/${name}`);
    else yield `${below}/${name}`;
  }
}

function copy(from: string, to: string): void {
  Deno.mkdirSync(to.slice(0, to.lastIndexOf("/")), { recursive: true });
  Deno.copyFileSync(from, to);
}

function bytesOf(folder: string): number {
  return Array.from(filesOf(folder), (file) => Deno.statSync(`${folder}${file}`).size).reduce(
    (a, b) => a + b,
    0,
  );
}

function run([program, ...args]: readonly string[], env: Record<string, string> = {}): string {
  const { success, stdout } = new Deno.Command(program!, { args, env, stderr: "inherit" }).outputSync();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}
