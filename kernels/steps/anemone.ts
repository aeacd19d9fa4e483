/** WGSL: `keep` and `take` of four distributions from their counts, `smoothed`, and how often one sample would use them. */
export const anemoneWgsl = `\
      let past = (1.0 - rule.amount) * rule.weight * prior;
      let all = past + rule.amount * smoothed;
      keep = select(past / all, vec4f(1.0), all <= vec4f());
      take = select(rule.amount / all, vec4f(), all <= vec4f());`;
