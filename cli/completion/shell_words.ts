/**
 * The words of a shell's command line up to the cursor, quotes and backslashes taken away; the last one is being typed and may be
 * empty. What follows from variables and patterns is not known.
 */
export function shellWords(line: string): string[] {
  const words = [""];
  let quote = "", blank = true;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote === "'" ? char === "'" : quote === '"' && char === '"') quote = "";
    else if (quote === "" && (char === "'" || char === '"')) [quote, blank] = [char, false];
    else if (char === "\\" && quote !== "'" && i + 1 < line.length) {
      words[words.length - 1] += line[++i]!;
      blank = false;
    } else if (quote === "" && /\s/.test(char)) {
      if (!blank) words.push("");
      blank = true;
    } else if (quote === "" && /[;&|(]/.test(char)) {
      // Another command begins.
      words.splice(0, words.length, "");
      blank = true;
    } else {
      words[words.length - 1] += char;
      blank = false;
    }
  }
  return words;
}
