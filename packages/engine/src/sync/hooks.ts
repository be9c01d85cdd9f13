import type { Because, KubeObject } from '@tiphys/api';
import { describeKey, keyOf } from '@tiphys/api';
import { marks } from './marks.ts';
import { hookDeletePolicies, hookTypes, type HookDeletePolicy, type HookType } from './types.ts';

/** What an object says about when it runs. */
export type HookReading =
  | Readonly<{ kind: 'plain' }>
  | Readonly<{ kind: 'hook'; types: readonly HookType[]; deletePolicies: readonly HookDeletePolicy[] }>
  /** A Helm hook of a kind that has no place here (tests, rollback): left out altogether. */
  | Readonly<{ kind: 'left-out' }>
  | Readonly<{ kind: 'invalid'; because: Because }>;

const helmTypes: Readonly<Record<string, HookType>> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
  'pre-delete': 'PreDelete',
  'post-delete': 'PostDelete',
};

const helmPolicies: Readonly<Record<string, HookDeletePolicy>> = {
  'before-hook-creation': 'BeforeHookCreation',
  'hook-succeeded': 'HookSucceeded',
  'hook-failed': 'HookFailed',
};

const wordsOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const isHookType = (word: string): word is HookType => (hookTypes as readonly string[]).includes(word);
const isPolicy = (word: string): word is HookDeletePolicy => (hookDeletePolicies as readonly string[]).includes(word);

function deletePoliciesOf(annotations: Readonly<Record<string, string>>): readonly HookDeletePolicy[] {
  const own = wordsOf(annotations[marks.hookDeletePolicy]).filter(isPolicy);
  // Helm's policies are added even where the hook itself is named in our own annotation (contract 2.5).
  const helm = wordsOf(annotations[marks.helmHookDeletePolicy]).flatMap((word) => helmPolicies[word] ?? []);
  const policies = [...new Set([...own, ...helm])];
  return policies.length === 0 ? ['BeforeHookCreation'] : policies;
}

/** A delete policy that is none has no effect (contract 2.5): told, so that nobody waits for it to work. */
export function policyWarnings(object: KubeObject): readonly Because[] {
  const wrong = wordsOf(object.metadata.annotations?.[marks.hookDeletePolicy]).filter((word) => !isPolicy(word));
  const name = describeKey(keyOf(object));
  return wrong.map((word) => ({
    code: 'unknown-hook-delete-policy',
    object: name,
    message: `${name}: "${word}" is no hook delete policy; use ${hookDeletePolicies.join(', ')}`,
  }));
}

/** Reads the hook annotations of an object, Helm's included (contract 2.5). */
export function readHook(object: KubeObject): HookReading {
  const annotations = object.metadata.annotations ?? {};
  const own = wordsOf(annotations[marks.hook]);
  if (own.length > 0) {
    const wrong = own.find((word) => !isHookType(word));
    if (wrong !== undefined) {
      const name = describeKey(keyOf(object));
      const message = `${name}: "${wrong}" is no hook; use ${hookTypes.join(', ')}`;
      return { kind: 'invalid', because: { code: 'unknown-hook', object: name, message } };
    }
    return { kind: 'hook', types: own.filter(isHookType), deletePolicies: deletePoliciesOf(annotations) };
  }
  const helm = wordsOf(annotations[marks.helmHook]);
  if (helm.length === 0 || helm.includes('crd-install')) return { kind: 'plain' };
  const types = [...new Set(helm.flatMap((word) => helmTypes[word] ?? []))];
  return types.length === 0
    ? { kind: 'left-out' }
    : { kind: 'hook', types, deletePolicies: deletePoliciesOf(annotations) };
}

/** Whether an object is no plain resource: a hook of any kind, well written or not. */
export const isHook = (object: KubeObject): boolean => readHook(object).kind !== 'plain';

/** The wave of an object (contract 2.1): its annotation, else Helm's hook weight, else 0; a bad value is told, and counts as 0. */
export function waveOf(object: KubeObject): { wave: number; warning?: Because } {
  const annotations = object.metadata.annotations ?? {};
  const text = annotations[marks.syncWave];
  const weight = annotations[marks.helmHookWeight];
  const helm = weight !== undefined && /^[+-]?\d+$/.test(weight.trim()) ? Number(weight) : 0;
  if (text === undefined) return { wave: annotations[marks.helmHook] === undefined ? 0 : helm };
  if (/^[+-]?\d+$/.test(text.trim())) return { wave: Number(text) };
  const name = describeKey(keyOf(object));
  const message = `${name}: sync-wave "${text}" is no integer; wave 0 is used`;
  return {
    wave: annotations[marks.helmHook] === undefined ? 0 : helm,
    warning: { code: 'bad-sync-wave', object: name, message },
  };
}
