/** A Graphviz drawing for a page: it scrolls instead of shrinking until its text is unreadable. */
export function legible(svg: string): string {
  return svg.replace(/<svg width="(\d+)pt"/, (start, width) => `${start} style="min-width:${width}px"`);
}
