/** WGSL: `keep` and `take` of four distributions from their counts, `smoothed`. */
export const inertiaWgsl = `\
      keep = select(vec4f(rule.amount), vec4f(1.0), smoothed <= vec4f());
      take = select((1.0 - rule.amount) / smoothed, vec4f(), smoothed <= vec4f());`;
