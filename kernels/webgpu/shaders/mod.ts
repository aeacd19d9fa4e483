/** All kernel templates, one line each; `common` is prepended to each of them. */
export { default as centroids } from "./centroids.wgsl" with { type: "text" };
export { default as collect } from "./collect.wgsl" with { type: "text" };
export { default as common } from "./common.wgsl" with { type: "text" };
export { default as fill } from "./fill.wgsl" with { type: "text" };
export { default as inputs } from "./inputs.wgsl" with { type: "text" };
export { default as join } from "./join.wgsl" with { type: "text" };
export { default as leaves } from "./leaves.wgsl" with { type: "text" };
export { default as matmul } from "./matmul.wgsl" with { type: "text" };
export { default as nearest } from "./nearest.wgsl" with { type: "text" };
export { default as product } from "./product.wgsl" with { type: "text" };
export { default as ratio } from "./ratio.wgsl" with { type: "text" };
export { default as repair } from "./repair.wgsl" with { type: "text" };
export { default as root } from "./root.wgsl" with { type: "text" };
export { default as scatter } from "./scatter.wgsl" with { type: "text" };
export { default as soft } from "./soft.wgsl" with { type: "text" };
export { default as softScatter } from "./soft_scatter.wgsl" with { type: "text" };
export { default as update } from "./update.wgsl" with { type: "text" };
