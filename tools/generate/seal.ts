import { createHash } from 'node:crypto';

const form = /^\/\/ content: [0-9a-f]{64}\n/m;

const hashOf = (text: string): string => createHash('sha256').update(text.replace(form, '')).digest('hex');

/**
 * A generated file with the hash of its content in its second line: where the sources of a table are absent, it can still be
 * told that nobody has edited it.
 */
export const sealed = (text: string): string => text.replace('\n', `\n// content: ${hashOf(text)}\n`);

/** Whether a file is as its generator wrote it. */
export const isAsGenerated = (text: string): boolean => text.includes(`\n// content: ${hashOf(text)}\n`);
