/** Ends this process at once. A stage that runs in it cannot: its `Deno.exit` is another one meanwhile. */
export const exit: (code: number) => never = Deno.exit.bind(Deno);
