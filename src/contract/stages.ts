/** The embedding stages in flow order. Each has its own model, lanes and task queues. */
export const STAGES = ['dnabert-s', 'esm-2'] as const;

/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];
