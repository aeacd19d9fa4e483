/** A drawing of Graphviz for a page: it scrolls rather than get so small that its letters cannot be read. */
export function legible(svg: string): string {
  return svg.replace(/<svg width="(\d+)pt"/, (start, width) => `${start} style="min-width:${width}px"`);
}
