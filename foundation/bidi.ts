const MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text in which the marks that turn the direction of what follows stand as themselves, `‹U+202E›`: in a name they could
 * make the words around it read backwards (Unicode Technical Report 36, section 2.5).
 */
export function withVisibleMarks(text: string): string {
  return text.replaceAll(
    MARKS,
    (mark) => `‹U+${mark.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}›`,
  );
}
