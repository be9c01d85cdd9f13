import { type Application, type ApplicationSource, type ResourceStatus, projectOf, sourcesOf } from '@tiphys/api';
import type { Style } from '../../output/style.ts';
import { formatTable } from '../../output/table.ts';
import { clusterText, qualifiedName, shortRevision, syncPolicyText } from './application-text.ts';

type Line = readonly [label: string, value: string];

// Labels fill 20 columns, as in the Argo CD command, whose output scripts take apart.
const lines = (pairs: readonly Line[]): string =>
  pairs.map(([label, value]) => `${`${label}:`.padEnd(20)}${value}`.trimEnd() + '\n').join('');

function sourceLines(source: ApplicationSource): string {
  const pairs: Line[] = [
    ['- Repo', source.repoURL],
    ['  Target', source.targetRevision ?? ''],
  ];
  if (source.path !== undefined && source.path !== '') pairs.push(['  Path', source.path]);
  if (source.chart !== undefined && source.chart !== '') pairs.push(['  Chart', source.chart]);
  if (source.ref !== undefined && source.ref !== '') pairs.push(['  Ref', source.ref]);
  if (source.helm?.valueFiles !== undefined) pairs.push(['  Helm Values', source.helm.valueFiles.join(',')]);
  if (source.kustomize?.images !== undefined) pairs.push(['  Images', source.kustomize.images.join(',')]);
  if (source.name !== undefined && source.name !== '') pairs.push(['  Name', source.name]);
  return lines(pairs);
}

const syncPolicyWords = { Manual: 'Manual', Auto: 'Automated', 'Auto-Prune': 'Automated (Prune)' } as const;

function syncStatusText({ spec, status }: Application, style: Style): string {
  const code = style.status(status?.sync?.status ?? 'Unknown');
  const sources = sourcesOf(spec);
  if (sources.length !== 1) return code;
  const relation = status?.sync?.status === 'OutOfSync' ? 'from' : 'to';
  const revision = status?.sync?.revision ?? '';
  const target = sources[0]?.targetRevision ?? '';
  return `${code} ${relation} ${target}${revision === '' ? '' : ` (${shortRevision(revision)})`}`;
}

function healthText({ status }: Application, style: Style): string {
  const { status: code = 'Unknown', message } = status?.health ?? {};
  return message === undefined || message === '' ? style.status(code) : `${style.status(code)} (${message})`;
}

/** The first lines of `app get`. */
export function describeSummary(application: Application, style: Style): string {
  const { spec } = application;
  const sources = sourcesOf(spec);
  return (
    lines([
      ['Name', qualifiedName(application)],
      ['Project', projectOf(spec)],
      ['Server', clusterText(spec)],
      ['Namespace', spec.destination.namespace ?? ''],
    ]) +
    `${sources.length > 1 ? 'Sources' : 'Source'}:\n` +
    sources.map(sourceLines).join('') +
    lines([
      ['Sync Policy', syncPolicyWords[syncPolicyText(spec)]],
      ['Sync Status', syncStatusText(application, style)],
      ['Health Status', healthText(application, style)],
    ])
  );
}

function durationText(from: string, to: string | undefined, now: Date): string {
  const end = to === undefined ? now.getTime() : Date.parse(to);
  const seconds = Math.max(0, Math.round((end - Date.parse(from)) / 1000));
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** The running or last operation, as lines; empty when there was none. */
export function describeOperation({ status }: Application, style: Style, now: Date): string {
  const state = status?.operationState;
  if (state === undefined) return '';
  const revision = state.syncResult?.revision ?? state.operation.sync?.revision ?? '';
  const revisions = state.syncResult?.revisions ?? [];
  return lines([
    ['Operation', 'Sync'],
    ['Sync Revision', revisions.length > 0 ? revisions.join(', ') : revision],
    ['Phase', style.status(state.phase)],
    ['Start', state.startedAt],
    ['Finished', state.finishedAt ?? ''],
    ['Duration', durationText(state.startedAt, state.finishedAt, now)],
    ['Message', state.message ?? ''],
  ]);
}

/** The conditions as a table; empty when there are none. */
export function describeConditions({ status }: Application): string {
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return '';
  const rows = conditions.map(({ type, message, lastTransitionTime = '' }) => [type, message, lastTransitionTime]);
  return formatTable([['CONDITION', 'MESSAGE', 'LAST TRANSITION'], ...rows]);
}

/** What the application waits for, as lines; empty when it waits for nothing. */
export function describeWaiting({ status }: Application): string {
  const waiting = status?.waitingFor ?? [];
  return waiting
    .map(
      ({ code, object, message }) =>
        `Waiting for:        ${message ?? code}${object === undefined ? '' : ` (${object})`}\n`,
    )
    .join('');
}

const keyText = ({ group = '', kind = '', namespace = '', name = '' }: ResourceStatus): string =>
  `${group}/${kind}/${namespace}/${name}`;

export const resourceHeader = ['GROUP', 'KIND', 'NAMESPACE', 'NAME', 'STATUS', 'HEALTH', 'HOOK', 'MESSAGE'];

/** One row for each object: those of the last operation with what happened to them, then those that it did not touch. */
export function resourceRows({ status }: Application, style: Style): readonly (readonly string[])[] {
  const results = status?.operationState?.syncResult?.resources ?? [];
  const resources = status?.resources ?? [];
  const byKey = new Map(resources.map((resource) => [keyText(resource), resource]));
  const touched = new Set<string>();
  const ofOperation = results.map(
    ({ group = '', kind, namespace = '', name, hookType = '', hookPhase = '', ...result }) => {
      const key = keyText({ group, kind, namespace, name });
      touched.add(key);
      const resource = byKey.get(key);
      const state = hookType === '' ? (resource?.status ?? result.status ?? '') : hookPhase;
      return [
        group,
        kind,
        namespace,
        name,
        style.status(state),
        style.status(resource?.health?.status ?? ''),
        hookType,
        result.message ?? '',
      ];
    },
  );
  const others = resources
    .filter((resource) => !touched.has(keyText(resource)))
    .map(({ group = '', kind = '', namespace = '', name = '', status: state = '', health }) => [
      group,
      kind,
      namespace,
      name,
      style.status(state),
      style.status(health?.status ?? ''),
      '',
      health?.message ?? '',
    ]);
  return [...ofOperation, ...others];
}
