/** Constants that specialise a template: numbers, switches, names of variants. */
export type Constants = Readonly<Record<string, number | boolean | string>>;

/**
 * Generates WGSL from a template. Software drivers and some compilers neither unroll loops nor keep indexed arrays in
 * registers, so register tiles are unrolled here. Lines that begin with `//#` are instructions:
 *
 * ```wgsl
 * //# for i in ROWS           the lines up to `end`, for i = 0 .. ROWS - 1
 * var sum$i = vec4f();
 * //# end
 * //# if TILE == shared       also `if NAME`, `if !NAME`; `else` may follow
 * //# end
 * ```
 *
 * `$NAME` stands for a constant or counter, `${i * 4 + j}` for integer arithmetic with `+ - * / %` and parentheses.
 * Since instructions are comments, editors can treat a template as WGSL.
 *
 * @throws {SyntaxError} with the line, for unknown names and unbalanced instructions
 */
export function specialise(template: string, constants: Constants): string {
  const lines = template.split("\n");
  const out: string[] = [];
  expand(lines, 0, lines.length, new Map(Object.entries(constants)), out);
  return out.join("\n");
}

type Values = ReadonlyMap<string, number | boolean | string>;

const INSTRUCTION = /^\s*\/\/#\s*(\w+)\s*(.*?)\s*$/;

/** Expands the lines `at .. to - 1`. */
function expand(lines: readonly string[], at: number, to: number, values: Values, out: string[]): void {
  while (at < to) {
    const line = lines[at] as string;
    const [, word, rest] = INSTRUCTION.exec(line) ?? [];
    if (word === undefined) {
      out.push(substitute(line, values, at));
      at++;
    } else if (word === "for") {
      const [, name, count] = /^(\w+) in (.+)$/.exec(rest ?? "") ?? [];
      if (name === undefined || count === undefined) throw fault(at, "expected `for NAME in COUNT`");
      const times = new Arithmetic(count, values, at).value();
      const end = blockEnd(lines, at, to).end;
      for (let i = 0; i < times; i++) expand(lines, at + 1, end, new Map([...values, [name, i]]), out);
      at = end + 1;
    } else if (word === "if") {
      const { otherwise, end } = blockEnd(lines, at, to);
      const holds = condition(rest ?? "", values, at);
      if (holds) expand(lines, at + 1, otherwise ?? end, values, out);
      else if (otherwise !== undefined) expand(lines, otherwise + 1, end, values, out);
      at = end + 1;
    } else if (word === "end" || word === "else") {
      throw fault(at, `\`${word}\` without \`for\` or \`if\``);
    } else throw fault(at, `unknown instruction \`${word}\``);
  }
}

/** The `else` and `end` lines of the directive at `at`. */
function blockEnd(lines: readonly string[], at: number, to: number): { otherwise?: number; end: number } {
  let depth = 0, otherwise: number | undefined;
  for (let i = at + 1; i < to; i++) {
    const word = INSTRUCTION.exec(lines[i] as string)?.[1];
    if (word === "for" || word === "if") depth++;
    else if (word === "else" && depth === 0) otherwise = i;
    else if (word === "end" && depth-- === 0) {
      return otherwise === undefined ? { end: i } : { otherwise, end: i };
    }
  }
  throw fault(at, "no `end`");
}

function condition(text: string, values: Values, line: number): boolean {
  const [, negated, name, wanted] = /^(!?)(\w+)(?:\s*==\s*(\w+))?$/.exec(text) ?? [];
  if (name === undefined) throw fault(line, `cannot read the condition \`${text}\``);
  const value = lookUp(name, values, line);
  const holds = wanted === undefined
    ? value !== false && value !== 0 && value !== ""
    : String(value) === wanted;
  return holds !== (negated === "!");
}

function substitute(line: string, values: Values, at: number): string {
  return line.replace(
    /\$(?:\{([^}]*)\}|([A-Za-z][A-Za-z0-9]*))/g,
    (_, expression, name) =>
      expression === undefined
        ? String(lookUp(name, values, at))
        : String(new Arithmetic(expression, values, at).value()),
  );
}

function lookUp(name: string, values: Values, line: number): number | boolean | string {
  const value = values.get(name);
  if (value === undefined) throw fault(line, `nothing is named \`${name}\``);
  return value;
}

function fault(line: number, problem: string): SyntaxError {
  return new SyntaxError(`WGSL template, line ${line + 1}: ${problem}`);
}

/** Integer arithmetic by recursive descent; division rounds down. */
class Arithmetic {
  readonly #tokens: string[];
  readonly #values: Values;
  readonly #line: number;
  #at = 0;

  constructor(text: string, values: Values, line: number) {
    this.#tokens = text.match(/\w+|[-+*/%()]|\S/g) ?? [];
    this.#values = values;
    this.#line = line;
  }

  value(): number {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw fault(this.#line, `unexpected \`${this.#tokens[this.#at]}\``);
    return value;
  }

  #sum(): number {
    let value = this.#product();
    for (let op = this.#take("+-"); op !== undefined; op = this.#take("+-")) {
      value += op === "+" ? this.#product() : -this.#product();
    }
    return value;
  }

  #product(): number {
    let value = this.#atom();
    for (let op = this.#take("*/%"); op !== undefined; op = this.#take("*/%")) {
      const right = this.#atom();
      value = op === "*" ? value * right : op === "/" ? Math.floor(value / right) : value % right;
    }
    return value;
  }

  #atom(): number {
    const token = this.#tokens[this.#at++] ?? "end of line";
    if (token === "(") {
      const value = this.#sum();
      if (this.#take(")") === undefined) throw fault(this.#line, "no closing bracket");
      return value;
    }
    if (/^\d+$/.test(token)) return Number(token);
    if (!/^\w+$/.test(token)) throw fault(this.#line, `unexpected \`${token}\``);
    const value = lookUp(token, this.#values, this.#line);
    if (typeof value !== "number") throw fault(this.#line, `\`${token}\` is no number`);
    return value;
  }

  #take(operators: string): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.length !== 1 || !operators.includes(token)) return undefined;
    this.#at++;
    return token;
  }
}
