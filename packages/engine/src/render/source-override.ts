import { type ApplicationSource, CodedError, isRecord, parseApplication } from '@tiphys/api';
import type { Tree } from '../git/read/tree.ts';
import type { ReadDocument } from './decode/documents.ts';

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** Files in the folder of an application that change its source (contract 12.8), in the order they count. */
export const overrideFiles = (instance: string): readonly string[] => [
  '.argocd-source.yaml',
  `.argocd-source-${instance}.yaml`,
];

function asSource(value: unknown, file: string): ApplicationSource {
  const checked = parseApplication(
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'source' },
      spec: { project: 'default', destination: { name: 'in-cluster' }, source: value },
    },
    { mode: 'read' },
  );
  const [wrong] = checked.problems;
  const source = checked.value.spec.source;
  if (wrong === undefined && source !== undefined) return source;
  const what = wrong === undefined ? 'not a source' : `${wrong.path.replace(/^spec\.source\.?/, '')}: ${wrong.message}`;
  throw new CodedError('render/failed', `${file}: ${what}`);
}

/**
 * A source with what the override files in its folder say: JSON merge patches. They cannot move it: repository, path, revision and
 * chart stay.
 * @throws CodedError render/failed, api/invalid-yaml naming the file
 */
export async function withOverrides(
  source: ApplicationSource,
  at: Readonly<{ tree: Tree; folder: string; instance: string }>,
  read: ReadDocument,
): Promise<ApplicationSource> {
  let merged: unknown = source;
  let last: string | undefined;
  for (const name of overrideFiles(at.instance)) {
    const path = at.folder === '' ? name : `${at.folder}/${name}`;
    const found = await at.tree.find(path);
    if (found === undefined || found.entry.kind === 'folder') continue;
    merged = mergePatch(merged, (await read(at.tree, { oid: found.entry.oid, path })) ?? {});
    last = path;
  }
  if (last === undefined) return source;
  const { repoURL, path, targetRevision, chart, ref, name } = source;
  const kept = Object.entries({ repoURL, path, targetRevision, chart, ref, name }).filter(([, v]) => v !== undefined);
  const moved = ['path', 'targetRevision', 'chart', 'ref', 'name'];
  const rest = isRecord(merged) ? Object.entries(merged).filter(([key]) => !moved.includes(key)) : [];
  return asSource(Object.fromEntries([...rest, ...kept]), last);
}
