import type { KubeObject } from '@tiphys/api';

/** What opening sealed values needs; nothing yet. */
export type RevealPorts = Readonly<Record<string, never>>;

/**
 * Opens sealed values of desired objects, right before diff, dry run and apply (design decision 18). What it returns is never
 * cached, logged, stored or sent.
 */
export type Reveal = (desired: readonly KubeObject[], ports: RevealPorts) => Promise<readonly KubeObject[]>;

/** The identity until a secrets provider is there. */
export const reveal: Reveal = (desired) => Promise.resolve(desired);
