/** What an agent does on its host. */
export const ROLES = ['control', 'cpu', 'lanes'] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];
