/**
 * What a project pays for Retort: importing it, and with `--installed` a run of the packed package in a project that `retort init` made, when
 * everything is in the store already. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:package
 *     deno task bench:package --installed      from a registry on this machine, as tests/packaging has it; --json
 */
import { fileURLToPath } from "node:url";
import { packageFiles } from "../packaging/files.ts";
import { DENO_VERSION } from "../packaging/manifest.ts";
import { PACKAGE_NAME } from "../foundation/own_package.ts";
import { hasRegistry, type Printed, TestRegistry } from "../tests/packaging/registry.ts";
import { benchOptions, type Figure, figure, inFolder, milliseconds, printFigures } from "./measure.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RUNS = 15;

/** Milliseconds that imports take in processes of their own, after that of nothing. */
async function measureImports(): Promise<Figure[]> {
  const imports = [
    { name: "retort", target: 60 },
    ...["zod", "retort/stages", "retort/stages/text", "retort/circuits"].map((name) => ({ name })),
  ] as { name: string; target?: number }[];
  const values = imports.map((): number[] => []);
  for (let run = 0; run < RUNS; run++) {
    for (const [i, { name }] of imports.entries()) {
      const code = `const began = performance.now(); await import(${
        JSON.stringify(name)
      }); console.log(performance.now() - began);`;
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-check", code],
        cwd: ROOT,
      }).output();
      values[i]!.push(Number(new TextDecoder().decode(stdout)));
    }
  }
  return imports.map(({ name, target }, i) =>
    figure(`import "${name}"`, "ms", values[i]!, target === undefined ? undefined : { atMost: target })
  );
}

/** Milliseconds of whole runs in a project from the package, everything cached. */
async function measureInstalled(folder: string): Promise<Figure[]> {
  await using registry = await TestRegistry.start(PACKAGE_NAME);
  const version = `0.0.${Math.floor(Date.now() / 1000)}`;
  await registry.publish(await packageFiles(ROOT, version));
  const npx = ["npx", "--yes"] as const;
  const checked = (printed: Printed) => {
    if (printed.code !== 0) throw new Error(printed.stderr);
    return printed;
  };
  const init = await milliseconds(async () => {
    checked(
      await registry.run(folder, ...npx, `${PACKAGE_NAME}@${version}`, "init", "it", "--template", "text"),
    );
  });
  const project = `${folder}/it`;
  const task = ["task", "run", "pipelines/first.ts"];
  const first = await milliseconds(async () =>
    checked(await registry.run(project, ...npx, `deno@${DENO_VERSION}`, ...task))
  );
  const bare: number[] = [];
  const byNpx: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    bare.push(await milliseconds(async () => checked(await registry.run(project, Deno.execPath(), ...task))));
    byNpx.push(
      await milliseconds(async () =>
        checked(await registry.run(project, ...npx, `deno@${DENO_VERSION}`, ...task))
      ),
    );
  }
  return [
    figure("npx retort init, packages fetched", "ms", [init]),
    figure("first run of the text template, packages fetched", "ms", [first], { atMost: 120_000 }),
    figure("again, all cached: deno task run", "ms", bare, { atMost: 500 }),
    figure("again, all cached: npx deno task run", "ms", byNpx),
  ];
}

const options = benchOptions({ installed: { type: "boolean" } });
if (options.installed && !hasRegistry()) {
  console.error(
    "--installed needs npm and verdaccio; RETORT_VERDACCIO is the folder in which it is installed",
  );
  Deno.exit(2);
}
printFigures(
  [...await measureImports(), ...(options.installed ? await inFolder(measureInstalled) : [])],
  options,
);
