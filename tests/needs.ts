/**
 * What some tests need that a machine may lack. Where it is missing they are left out, counted by the suite and
 * told of at its end; where `CI` is set nothing may be left out, and they fail. Every test that cannot run
 * everywhere says so here and nowhere else: the suite takes a test that is left out for another reason as failed.
 */
import process from "node:process";
import { pathToFileURL } from "node:url";

/** What is needed, and how to get it. */
export const NEEDS = {
  webgpu: {
    what: "a WebGPU adapter",
    how: "a graphics card with its Vulkan driver; or on Debian and Ubuntu a driver in software: " +
      "apt-get install libvulkan1 mesa-vulkan-drivers",
  },
  browser: {
    what: "the browser Chromium",
    how:
      "on Debian and Ubuntu: apt-get install chromium fonts-dejavu-core; elsewhere RETORT_CHROMIUM names its program",
  },
  mount: {
    what: "a user who may mount file systems",
    how: "run them as root: on a disk that is full, a read-only one, another file system",
  },
  data: {
    what: "data sets that the tests count and compare with what is known of them",
    how: "put them into ../shared/data beside the repository, or into the folder that RETORT_DATA names: " +
      "deno task data list tells of the sets",
  },
  fashion: {
    what: "Fashion-MNIST",
    how: "on Debian and Ubuntu: apt-get install dataset-fashion-mnist; elsewhere as the other data sets",
  },
  python: {
    what: "Python with mlflow-skinny, tensorboard and roc-validator",
    how:
      "python3 -m venv FOLDER && FOLDER/bin/pip install mlflow-skinny==3.17.2 tensorboard==2.21.0 roc-validator==0.13.0; " +
      "RETORT_PYTHON names its program, FOLDER/bin/python",
  },
  s3: {
    what: "the S3 server of Python's moto",
    how: "FOLDER/bin/pip install 'moto[s3,server]==5.2.5', with the Python that RETORT_PYTHON names",
  },
  cgroup: {
    what: "a user who may bound the memory of processes by control groups",
    how: "run them as root on Linux, where /sys/fs/cgroup can be written",
  },
  slurm: {
    what: "Slurm",
    how:
      "on Debian and Ubuntu: apt-get install slurmctld slurmd slurm-client munge; no service of it has to run",
  },
  runtimes: {
    what: "npx, which runs Node 22 and Bun from npm",
    how:
      "install Node with npm; the first run fetches both, and the packages that the library needs, from npm's registry",
  },
  shells: {
    what: "the shells bash, zsh and fish",
    how: "on Debian and Ubuntu: apt-get install zsh fish",
  },
  registry: {
    what: "npm, and the registry Verdaccio to install the package from",
    how:
      "npm install --prefix FOLDER verdaccio@6.8.0, with node-fetch 2.7.0 as override; RETORT_VERDACCIO names the folder",
  },
  linux: { what: "Linux, where some faults of disks can be staged", how: "run them on Linux" },
} as const;

/** Something that a machine may lack. */
export type Need = keyof typeof NEEDS;

/** Begins the lines by which test files tell the suite what they leave out: whole tests, or a part of one. */
export const LEFT_OUT = "[left out]";
/** As `LEFT_OUT`, of a part of a test that runs all the same. */
export const LEFT_OUT_IN_PART = "[left out in part]";

/**
 * The options of a test that needs something: it is left out where that is missing.
 *
 * @param there whether it is there.
 * @throws Error where it is missing though `CI` is set.
 */
export function needs(need: Need, there: boolean): { readonly ignore: boolean } {
  if (!there) tell(LEFT_OUT, need);
  return { ignore: !there };
}

/**
 * Whether a part of a test can run.
 *
 * @param there whether what it needs is there.
 * @throws Error where it is missing though `CI` is set.
 */
export function partNeeds(need: Need, there: boolean): boolean {
  if (!there) tell(LEFT_OUT_IN_PART, need);
  return there;
}

function tell(mark: string, need: Need): void {
  const { what, how } = NEEDS[need];
  if (process.env.CI !== undefined) {
    throw new Error(`in CI nothing is left out, but there is not ${what}; ${how}`);
  }
  const file = "Deno" in globalThis ? Deno.mainModule : pathToFileURL(process.argv[1]!).href;
  console.log(`${mark} ${need} ${file}`);
}

/** What the output of `deno test --parallel` tells of tests that were left out. */
export interface LeftOut {
  /** By what they need: how many whole tests, and how many parts of tests. */
  readonly needs: ReadonlyMap<Need, { tests: number; parts: number }>;
  /** Tests that were left out and do not say why. */
  readonly unexplained: readonly string[];
  /** All whole tests. */
  readonly tests: number;
}

/** Reads the output of `deno test --parallel`: which tests were left out, and what for. */
export function leftOutIn(output: string): LeftOut {
  const needs = new Map<Need, { tests: number; parts: number }>();
  const of = (need: Need) => {
    const counts = needs.get(need) ?? { tests: 0, parts: 0 };
    needs.set(need, counts);
    return counts;
  };
  const marks = [...output.matchAll(/\[left out( in part)?\] (\w+) (file:\S+)/g)]
    .filter(([, , need]) => Object.hasOwn(NEEDS, need!));
  for (const [, part, need] of marks) if (part !== undefined) of(need as Need).parts++;
  const told = Map.groupBy(marks.filter(([, part]) => part === undefined), ([, , , file]) => file!);
  const ignored = [...output.matchAll(/^(\.\/\S+) => (.*) \.\.\. ignored/gm)];
  const unexplained: string[] = [];
  for (const [file, tests] of Map.groupBy(ignored, ([, file]) => file!)) {
    const why = [...told].find(([url]) => decodeURI(url).endsWith(file.slice(1)))?.[1] ?? [];
    tests.forEach(([, , name], i) => {
      // Either every test tells, in their order, or one telling stands for all tests of the file.
      const mark = why.length === tests.length ? why[i] : why[0];
      if (mark === undefined) unexplained.push(`${file} => ${name}`);
      else of(mark[2] as Need).tests++;
    });
  }
  return { needs, unexplained, tests: ignored.length };
}

/** What was left out, for people: a line a need. */
export function leftOutText({ needs }: LeftOut): string {
  const amount = (count: number, word: string) =>
    count === 0 ? [] : [`${count} ${word}${count === 1 ? "" : "s"}`];
  return [...needs].map(([need, { tests, parts }]) => {
    const counts = [...amount(tests, "test"), ...amount(parts, "part").map((text) => `${text} of tests`)];
    return `  ${counts.join(" and ")} for want of ${NEEDS[need].what}\n      ${NEEDS[need].how}`;
  }).join("\n");
}
