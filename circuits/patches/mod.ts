export * from "./learner.ts";
export * from "./queries.ts";
export * from "./rows.ts";
