import { Fragment, options, type VNode } from "preact";
import { withVisibleMarks } from "../../foundation/bidi.ts";

/** Attributes that are read by people or screen readers. */
const READ = ["title", "alt", "aria-label", "placeholder"] as const;

/**
 * Makes bidirectional control characters visible in all text and labels of pages from now on. Field values and link
 * targets are unchanged.
 */
export function showMarks(): void {
  if (shown) return;
  shown = true;
  const before = options.vnode;
  options.vnode = (vnode) => {
    // A fragment has texts of its own: those of a link that leads nowhere.
    if (typeof vnode.type === "string" || vnode.type === Fragment) {
      changeTexts(vnode.props as Record<string, unknown>);
    }
    before?.(vnode as VNode);
  };
}

let shown = false;

function changeTexts(props: Record<string, unknown>): void {
  const { children } = props;
  if (typeof children === "string") props.children = withVisibleMarks(children);
  else if (Array.isArray(children)) {
    props.children = children.map((child) => typeof child === "string" ? withVisibleMarks(child) : child);
  }
  for (const name of READ) {
    if (typeof props[name] === "string") props[name] = withVisibleMarks(props[name]);
  }
}
