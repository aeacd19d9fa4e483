import { options, type VNode } from "preact";
import { withVisibleMarks } from "../../foundation/bidi.ts";

/** Attributes that people read or hear. */
const READ = ["title", "alt", "aria-label", "placeholder"] as const;

/**
 * Makes marks of direction visible in every text and label that pages are made of from now on. What
 * is typed into fields and where links lead stays as it is.
 */
export function showMarks(): void {
  if (shown) return;
  shown = true;
  const before = options.vnode;
  options.vnode = (vnode) => {
    if (typeof vnode.type === "string") changeTexts(vnode.props as Record<string, unknown>);
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
