import { at, isRecord, type KubeObject } from '@tiphys/api';

/** A new Job selects the pods of its own uid, unless it says that it brings its own selector. */
export function prepareNewJob(job: KubeObject): KubeObject {
  const spec = isRecord(job['spec']) ? job['spec'] : {};
  if (spec['manualSelector'] === true) return job;
  const { uid = '', name = '' } = job.metadata;
  const template = isRecord(spec['template']) ? spec['template'] : {};
  const metadata = isRecord(template['metadata']) ? template['metadata'] : {};
  const selector = isRecord(spec['selector']) ? spec['selector'] : {};
  const before = at(selector, 'matchLabels');
  const labels = {
    ...(isRecord(metadata['labels']) && metadata['labels']),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const matchLabels = { ...(isRecord(before) && before), 'batch.kubernetes.io/controller-uid': uid };
  return {
    ...job,
    spec: {
      ...spec,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...metadata, labels } },
    },
  };
}
