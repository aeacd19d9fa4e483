/** All texts of at most `longest` of these characters, the empty one first. */
export function allTexts(characters: readonly string[], longest: number): string[] {
  const texts = [""];
  for (let from = 0, length = 0; length < longest; length++) {
    const to = texts.length;
    for (; from < to; from++) for (const character of characters) texts.push(texts[from]! + character);
  }
  return texts;
}
