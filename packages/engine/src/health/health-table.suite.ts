import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@tiphys/api';
import { assess } from './built-in.ts';

type Case = readonly [name: string, object: Record<string, unknown>, status: string | undefined, message?: RegExp];

export const of = (apiVersion: string, kind: string, rest: Record<string, unknown>): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'n', generation: 1, ...(rest['metadata'] as object | undefined) },
  ...Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'metadata')),
});

export const seen = { observedGeneration: 1 };
export const condition = (type: string, status: string, ...[reason = '', message = '']: string[]): object => ({
  conditions: [{ type, status, reason, message }],
});

/** Registers a test for each sample of a kind: its name, the object without type and name, the verdict. */
export function table(id: string, [apiVersion, kind]: readonly [string, string], cases: readonly Case[]): void {
  for (const [name, object, status, message] of cases)
    test(`${id} ${kind}: ${name}`, () => {
      const health = assess(of(apiVersion, kind, object));
      assert.equal(health?.status, status);
      if (message !== undefined) assert.match(health?.message ?? '', message);
    });
}
