/** Exits this process immediately. Stages in it cannot: their `Deno.exit` is replaced while they run. */
export const exit: (code: number) => never = Deno.exit.bind(Deno);
