import { CodedError, messageOf } from '@tiphys/api';
import { parseBytes, parseDuration } from '@tiphys/language';
import type { Environment } from './config.ts';

/** What the environment says of rendering (contract 12.3, 12.6). */
export type RenderLimits = Readonly<{
  /** `ARGOCD_EXEC_TIMEOUT`: deadline of one run of a tool, in milliseconds. */
  timeoutMs?: number;
  /** `ARGOCD_HELM_INDEX_CACHE_DURATION`: how long the index of a chart repository is used, in milliseconds. */
  indexMs?: number;
  /** `ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE`: what such an index may be, in bytes. */
  maxIndexBytes?: number;
}>;

const requireThat = (isMet: boolean, wanted: string): void => {
  if (!isMet) throw new CodedError('language/invalid', `it has to be ${wanted}`);
};

/** 0 would be no deadline elsewhere; here it would end every run before it begins. */
function deadlineOf(text: string): number {
  const milliseconds = parseDuration(text);
  requireThat(milliseconds >= 1, 'at least 1ms: no run of a tool is without a deadline');
  return milliseconds;
}

/** 0: an index is read anew each time. */
function spanOf(text: string): number {
  const milliseconds = parseDuration(text);
  requireThat(milliseconds >= 0, '0 or longer');
  return milliseconds;
}

const rules = [
  ['timeoutMs', 'ARGOCD_EXEC_TIMEOUT', deadlineOf],
  ['indexMs', 'ARGOCD_HELM_INDEX_CACHE_DURATION', spanOf],
  ['maxIndexBytes', 'ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE', parseBytes],
] as const;

/** Reads the limits that are set. @throws CodedError config/invalid naming the variable */
export function readRenderLimits({ renderVariables }: Pick<Environment, 'renderVariables'>): RenderLimits {
  const limits = rules.flatMap(([limit, name, parse]) => {
    const text = renderVariables[name] ?? '';
    if (text === '') return [];
    try {
      return [[limit, parse(text)] as const];
    } catch (error) {
      throw new CodedError('config/invalid', `${name}: ${messageOf(error)}`, { cause: error });
    }
  });
  return Object.fromEntries(limits);
}
