import { at, isRecord, type KubeObject } from '@tiphys/api';
import type { Preparation } from '../cluster.ts';

const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).flatMap(([key, text]) =>
      typeof text === 'string' ? [[key, text]] : [],
    ),
  );

/** A new Job selects the pods of its own uid, unless it says that it brings its own selector. */
export function prepareNewJob(job: KubeObject, { sent }: Preparation): KubeObject {
  const spec = isRecord(job['spec']) ? job['spec'] : {};
  if (spec['manualSelector'] === true) return job;
  const { uid = '', name = '' } = job.metadata;
  const template = isRecord(spec['template']) ? spec['template'] : {};
  const metadata = isRecord(template['metadata']) ? template['metadata'] : {};
  const selector = isRecord(spec['selector']) ? spec['selector'] : {};
  const before = at(selector, 'matchLabels');
  const labels: Record<string, string> = {
    ...textsOf(metadata['labels']),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const matchLabels = { ...(isRecord(before) && before), 'batch.kubernetes.io/controller-uid': uid };
  // A Job that brings no labels has those of its pods, with what is added to them here.
  const unlabelled = Object.keys(sent?.metadata.labels ?? {}).length === 0;
  return {
    ...job,
    metadata: unlabelled ? { ...job.metadata, labels } : job.metadata,
    spec: {
      ...spec,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...metadata, labels } },
    },
  };
}
