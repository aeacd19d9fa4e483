/** Where suites register their tests: with Deno, or in a list that other runtimes run (`tests/runtimes`). */

/** A test of a suite. */
export type SuiteTest = Deno.TestDefinition;

/** Options of the tests of a suite. */
export type SuiteOptions = Pick<SuiteTest, "ignore" | "sanitizeResources" | "sanitizeOps">;

let register = (test: SuiteTest): void => Deno.test(test);

/** Registers a test of a suite. */
export function suiteTest(test: SuiteTest): void {
  register(test);
}

/** The tests that `suites` registers, which Deno then does not run. */
export function collected(suites: () => void): readonly SuiteTest[] {
  const tests: SuiteTest[] = [], before = register;
  register = (test) => void tests.push(test);
  try {
    suites();
  } finally {
    register = before;
  }
  return tests;
}
