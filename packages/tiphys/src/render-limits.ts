import { CodedError, messageOf } from '@tiphys/api';
import { parseDuration, parseQuantity } from '@tiphys/language';
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

const bytesOf = (text: string): number => Number(parseQuantity(text).nano / 1_000_000_000n);

const rules = [
  ['timeoutMs', 'ARGOCD_EXEC_TIMEOUT', parseDuration],
  ['indexMs', 'ARGOCD_HELM_INDEX_CACHE_DURATION', parseDuration],
  ['maxIndexBytes', 'ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE', bytesOf],
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
