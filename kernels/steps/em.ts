/** WGSL: `keep` and `take` of four distributions from their counts, `smoothed`. */
export const emWgsl = `\
      keep = select(vec4f(), vec4f(1.0), smoothed <= vec4f());
      take = select(1.0 / smoothed, vec4f(), smoothed <= vec4f());`;
