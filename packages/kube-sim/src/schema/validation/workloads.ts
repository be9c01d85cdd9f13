import { checkJobSpec } from './job.ts';
import { isTimeZone } from '../time-zone.ts';
import { omit } from '../omit.ts';
import { isRecord, type KubeObject } from '@tiphys/api';
import { sameJson } from '../../patch/same-json.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkSelector, countOf, isEmptySelector, selects } from './metadata.ts';
import { checkPodSpec, checkPodTemplate } from './pod.ts';
import { dnsLabel, isPercent, percentFault } from './text-forms.ts';

/** What one kind's objects have to satisfy; `old` is the stored object of an update. */
export type KindCheck = (object: KubeObject, old: KubeObject | undefined, faults: Faults) => void;

const specOf = (object: KubeObject | undefined): Record<string, unknown> => partOf(object, 'spec');

/** A field that may not change, compared without telling apart what is empty and what is absent. */
export function immutable(fields: Readonly<{ now: unknown; before: unknown; path: string }>, faults: Faults): void {
  const { now, before, path } = fields;
  if (!sameJson(now ?? null, before ?? null)) faults.invalid(path, now, 'field is immutable');
}

type Templated = Readonly<{ kind: string; spec: Record<string, unknown> }>;

function checkTemplated({ kind, spec }: Templated, faults: Faults): void {
  const selector = spec['selector'];
  // A DaemonSet without a selector is refused for selecting nothing.
  if (!isRecord(selector)) {
    if (kind !== 'DaemonSet') faults.required('spec.selector');
  }
  if (isRecord(selector)) {
    checkSelector(selector, 'spec.selector', faults);
    if (isEmptySelector(selector))
      faults.invalid(
        'spec.selector',
        selector,
        `empty selector is invalid for ${kind === 'ReplicaSet' ? 'deployment' : kind.toLowerCase()}`,
      );
  }
  const template = partOf(spec, 'template');
  const labels = partOf(partOf(template, 'metadata'), 'labels');
  const unselected = isRecord(selector) ? !isEmptySelector(selector) && !selects(selector, labels) : true;
  if (unselected)
    faults.invalid(
      'spec.template.metadata.labels',
      labelsShown(template),
      '`selector` does not match template `labels`',
    );
  checkPodTemplate(template, 'spec.template', faults);
  const policy = partOf(template, 'spec')['restartPolicy'];
  if (policy !== 'Always') faults.unsupported('spec.template.spec.restartPolicy', policy, ['Always']);
  if (partOf(template, 'spec')['activeDeadlineSeconds'] !== undefined)
    faults.forbidden(
      'spec.template.spec.activeDeadlineSeconds',
      `activeDeadlineSeconds in ${kind === 'Deployment' ? 'ReplicaSet' : kind} is not Supported`,
    );
}

const labelsShown = (template: unknown): unknown => partOf(template, 'metadata')['labels'];

const selectorKept = (object: KubeObject, old: KubeObject | undefined, faults: Faults): void => {
  if (old === undefined) return;
  immutable({ now: specOf(object)['selector'], before: specOf(old)['selector'], path: 'spec.selector' }, faults);
};

/** A count or a percentage: not negative, well formed. */
function checkCount(value: unknown, path: string, faults: Faults): void {
  if (typeof value === 'string') {
    if (!isPercent(value)) faults.invalid(path, value, percentFault);
  } else faults.notNegative(path, value);
}

function checkDeploymentStrategy(strategy: Record<string, unknown>, faults: Faults): void {
  const path = 'spec.strategy';
  const rolling = strategy['rollingUpdate'];
  if (strategy['type'] === 'Recreate') {
    if (rolling !== undefined)
      faults.forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (strategy['type'] !== 'RollingUpdate') {
    faults.unsupported(path, strategy, ['Recreate', 'RollingUpdate']);
    return;
  }
  const { maxUnavailable, maxSurge } = isRecord(rolling) ? rolling : {};
  checkCount(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, faults);
  checkCount(maxSurge, `${path}.rollingUpdate.maxSurge`, faults);
  if (countOf(rolling, 'maxUnavailable') === 0 && countOf(rolling, 'maxSurge') === 0)
    faults.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
  atMostAll(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, faults);
}

function atMostAll(value: unknown, path: string, faults: Faults): void {
  if (typeof value === 'string' && isPercent(value) && Number.parseInt(value, 10) > 100)
    faults.invalid(path, value, 'must not be greater than 100%');
}

const deployment: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  faults.notNegative('spec.replicas', spec['replicas']);
  checkTemplated({ kind: 'Deployment', spec }, faults);
  checkDeploymentStrategy(partOf(spec, 'strategy'), faults);
  for (const field of ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'])
    faults.notNegative(`spec.${field}`, spec[field]);
  const deadline = numberIn(spec, 'progressDeadlineSeconds');
  if (deadline !== undefined && deadline <= (numberIn(spec, 'minReadySeconds') ?? 0))
    faults.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
  selectorKept(object, old, faults);
};

const replicaSet: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  faults.notNegative('spec.replicas', spec['replicas']);
  faults.notNegative('spec.minReadySeconds', spec['minReadySeconds']);
  checkTemplated({ kind: 'ReplicaSet', spec }, faults);
  selectorKept(object, old, faults);
};

const daemonSet: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  selectorKept(object, old, faults);
  checkTemplated({ kind: 'DaemonSet', spec }, faults);
  const strategy = partOf(spec, 'updateStrategy');
  if (strategy['type'] !== 'OnDelete' && strategy['type'] !== 'RollingUpdate')
    faults.unsupported('spec.updateStrategy', strategy, ['RollingUpdate', 'OnDelete']);
  for (const field of ['minReadySeconds', 'revisionHistoryLimit']) faults.notNegative(`spec.${field}`, spec[field]);
};

/** What of a StatefulSet's spec an update may change. */
const mutableStatefulSet = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit'].concat(
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
);

const statefulSet: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  const policies = ['OrderedReady', 'Parallel'];
  if (!policies.includes(textAt(spec, 'podManagementPolicy')))
    faults.invalid('spec.podManagementPolicy', spec['podManagementPolicy'], "must be 'OrderedReady' or 'Parallel'");
  const strategy = partOf(spec, 'updateStrategy');
  if (strategy['type'] !== 'RollingUpdate' && strategy['type'] !== 'OnDelete')
    faults.invalid('spec.updateStrategy', strategy, "must be 'RollingUpdate' or 'OnDelete'");
  else if (strategy['type'] === 'OnDelete' && strategy['rollingUpdate'] !== undefined)
    faults.invalid(
      'spec.updateStrategy.rollingUpdate',
      strategy['rollingUpdate'],
      "only allowed for updateStrategy 'RollingUpdate'",
    );
  faults.notNegative('spec.replicas', spec['replicas']);
  faults.notNegative('spec.minReadySeconds', spec['minReadySeconds']);
  const service = textAt(spec, 'serviceName');
  if (old === undefined && service !== '') faults.malformed('spec.serviceName', service, dnsLabel(service));
  checkTemplated({ kind: 'StatefulSet', spec: withClaimVolumes(spec) }, faults);
  if (old === undefined) return;
  const fixed = (source: Record<string, unknown>): unknown =>
    Object.fromEntries(
      Object.entries(source).filter(([key, value]) => value !== '' && !mutableStatefulSet.includes(key)),
    );
  if (!sameJson(fixed(spec), fixed(specOf(old))))
    faults.forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
};

/** The controller adds a volume for each claim template; containers may mount it. */
function withClaimVolumes(spec: Record<string, unknown>): Record<string, unknown> {
  const names = itemsAt(spec, 'volumeClaimTemplates').map((claim) => textAt(partOf(claim, 'metadata'), 'name'));
  const template = partOf(spec, 'template');
  const podSpec = partOf(template, 'spec');
  const own = itemsAt(podSpec, 'volumes').filter((volume) => !names.includes(textAt(volume, 'name')));
  const claims = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  // Each of its pods gets a host name and a subdomain of its own, so those of the template are not looked at.
  const named = omit(podSpec, 'hostname', 'subdomain');
  return { ...spec, template: { ...template, spec: { ...named, volumes: [...claims, ...own] } } };
}

/** Labels that the server gives the pods of a Job, so that it finds them again. */
function checkGenerated(object: KubeObject, faults: Faults): void {
  const spec = specOf(object);
  if (spec['manualSelector'] === true) return;
  const { name = '', uid = '' } = object.metadata;
  const expected: Record<string, string> = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  const labels = partOf(partOf(partOf(spec, 'template'), 'metadata'), 'labels');
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) faults.required(path, `must be '${value}'`);
    else if (labels[key] !== value) faults.invalid(path, labels, `must be '${value}'`);
  }
  if (!selects(spec['selector'], expected))
    faults.invalid('spec.selector', spec['selector'], '`selector` not auto-generated');
}

/** A template without what the scheduler goes by: that may change while a Job is suspended. */
function withoutScheduling(template: unknown): unknown {
  const metadata = omit(partOf(template, 'metadata'), 'labels', 'annotations');
  const spec = omit(partOf(template, 'spec'), 'affinity', 'nodeSelector', 'tolerations', 'schedulingGates');
  const affinity = omit(partOf(partOf(template, 'spec'), 'affinity'), 'nodeAffinity');
  return { metadata, spec: { ...spec, affinity } };
}

const job: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  checkGenerated(object, faults);
  checkJobSpec(spec, 'spec', faults);
  const labels = partOf(partOf(partOf(spec, 'template'), 'metadata'), 'labels');
  if (isRecord(spec['selector']) && !selects(spec['selector'], labels))
    faults.invalid(
      'spec.template.metadata.labels',
      labelsShown(spec['template']),
      '`selector` does not match template `labels`',
    );
  if (old === undefined) return;
  const before = specOf(old);
  const indexed = textAt(spec, 'completionMode') === 'Indexed';
  const resized = indexed && spec['completions'] !== undefined && spec['completions'] !== before['completions'];
  if (resized && spec['completions'] !== spec['parallelism'])
    faults.invalid('spec.completions', spec['completions'], 'can only be modified in tandem with spec.parallelism');
  if (!indexed)
    immutable({ now: spec['completions'], before: before['completions'], path: 'spec.completions' }, faults);
  const suspended = before['suspend'] === true && partOf(old, 'status')['startTime'] === undefined;
  const fields = [
    'selector',
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ];
  const templates = [spec['template'], before['template']];
  const [now, was] = suspended ? templates.map(withoutScheduling) : templates;
  immutable({ now, before: was, path: 'spec.template' }, faults);
  for (const field of fields) immutable({ now: spec[field], before: before[field], path: `spec.${field}` }, faults);
};

const cronField = '(?:\\*|[0-9A-Za-z?]+(?:-[0-9A-Za-z]+)?)(?:\\/\\d+)?';
const cronList = `${cronField}(?:,${cronField})*`;
const cronForm = new RegExp(
  `^\\s*(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every\\s+\\S+|${cronList}(?:\\s+${cronList}){4})\\s*$`,
);

function checkTimeZone(zone: unknown, faults: Faults): void {
  if (typeof zone !== 'string') return;
  const path = 'spec.timeZone';
  if (zone === '') {
    faults.invalid(path, zone, 'timeZone must be nil or non-empty string');
    return;
  }
  if (zone.toLowerCase() === 'local')
    faults.invalid(path, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones');
  if (zone !== 'Local' && !isTimeZone(zone)) faults.invalid(path, zone, `unknown time zone ${zone}`);
}

const cronJob: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  const schedule = textAt(spec, 'schedule');
  const schedulePath = 'spec.schedule';
  if (schedule === '') faults.required(schedulePath);
  else if (schedule.includes('TZ'))
    faults.invalid(schedulePath, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
  else if (!cronForm.test(schedule))
    faults.invalid(
      schedulePath,
      schedule,
      `expected exactly 5 fields, found ${schedule.trim().split(/\s+/).length}: [${schedule.trim()}]`,
    );
  checkTimeZone(spec['timeZone'], faults);
  faults.notNegative('spec.startingDeadlineSeconds', spec['startingDeadlineSeconds']);
  faults.oneOf('spec.concurrencyPolicy', spec['concurrencyPolicy'], ['Allow', 'Forbid', 'Replace']);
  checkJobSpec(partOf(partOf(spec, 'jobTemplate'), 'spec'), 'spec.jobTemplate.spec', faults);
  for (const field of ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'])
    faults.notNegative(`spec.${field}`, spec[field]);
  const { name = '' } = object.metadata;
  if (old === undefined && name.length > 52)
    faults.invalid('metadata.name', name, 'must be no more than 52 characters');
};

const pod: KindCheck = (object, old, faults) => {
  const spec = specOf(object);
  checkPodSpec(spec, 'spec', faults);
  if (old === undefined) return;
  const before = specOf(old);
  for (const field of ['containers', 'initContainers'])
    if (itemsAt(spec, field).length !== itemsAt(before, field).length) {
      faults.forbidden(`spec.${field}`, 'pod updates may not add or remove containers');
      return;
    }
  if (!checkDeadline(spec, before, faults)) return;
  const tolerated = itemsAt(spec, 'tolerations').map(unlimited);
  if (!itemsAt(before, 'tolerations').every((one) => tolerated.some((other) => sameJson(other, unlimited(one)))))
    faults.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
  if (!sameJson(withoutMutable(spec, before), withoutMutable(before, before)))
    faults.forbidden(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    );
};

/** The deadline of a pod may be set and shortened. Whether the rest of the pod is to be looked at. */
function checkDeadline(spec: Record<string, unknown>, before: Record<string, unknown>, faults: Faults): boolean {
  const path = 'spec.activeDeadlineSeconds';
  const now = numberIn(spec, 'activeDeadlineSeconds');
  const was = numberIn(before, 'activeDeadlineSeconds');
  if (now !== undefined && was !== undefined && was < now) {
    faults.invalid(path, now, 'must be less than or equal to previous value');
    return false;
  }
  if (now === undefined && was !== undefined)
    faults.invalid(path, null, 'must not update from a positive integer to nil value');
  return true;
}

const unlimited = (toleration: unknown): unknown =>
  isRecord(toleration) ? omit(toleration, 'tolerationSeconds') : toleration;

/** A pod's spec without what an update may change. */
function withoutMutable(spec: Record<string, unknown>, before: Record<string, unknown>): unknown {
  const images = (field: string): unknown[] =>
    itemsAt(spec, field).map((container, index) => ({
      ...(isRecord(container) && container),
      image: textAt(itemsAt(before, field)[index], 'image'),
    }));
  const rest = omit(spec, 'tolerations', 'activeDeadlineSeconds', 'schedulingGates');
  return { ...rest, containers: images('containers'), initContainers: images('initContainers') };
}

const podTemplate: KindCheck = (object, _old, faults) => checkPodTemplate(object['template'], 'template', faults);

const replicationController: KindCheck = (object, _old, faults) => {
  const spec = specOf(object);
  const selector = partOf(spec, 'selector');
  if (Object.keys(selector).length === 0) faults.required('spec.selector');
  faults.notNegative('spec.replicas', spec['replicas']);
  faults.notNegative('spec.minReadySeconds', spec['minReadySeconds']);
  const template = spec['template'];
  if (!isRecord(template)) {
    faults.required('spec.template');
    return;
  }
  const labels = partOf(partOf(template, 'metadata'), 'labels');
  if (!selects({ matchLabels: selector }, labels))
    faults.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  checkPodTemplate(template, 'spec.template', faults);
};

const autoscaler: KindCheck = (object, _old, faults) => {
  const spec = specOf(object);
  const min = numberIn(spec, 'minReplicas');
  const max = numberIn(spec, 'maxReplicas') ?? 0;
  if (min !== undefined && min < 1) faults.invalid('spec.minReplicas', min, 'must be greater than or equal to 1');
  if (max < 1) faults.invalid('spec.maxReplicas', max, 'must be greater than 0');
  if (min !== undefined && max < min)
    faults.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`');
  for (const field of ['kind', 'name'])
    if (textAt(spec['scaleTargetRef'], field) === '') faults.required(`spec.scaleTargetRef.${field}`);
  const version = textAt(spec['scaleTargetRef'], 'apiVersion');
  if (!version.includes('/') && textAt(spec['scaleTargetRef'], 'kind') !== 'ReplicationController')
    faults.invalid('spec.scaleTargetRef.apiVersion', version, 'apiVersion must specify API group');
  for (const [index, metric] of itemsAt(spec, 'metrics').entries())
    checkMetric(metric, `spec.metrics[${index}]`, faults);
  const scalesToZero = itemsAt(spec, 'metrics').some((metric) =>
    ['Object', 'External'].includes(textAt(metric, 'type')),
  );
  if (min === 0 && !scalesToZero)
    faults.forbidden(
      'spec.metrics',
      'must specify at least one Object or External metric to support scaling to zero replicas',
    );
};

const metricSources: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function checkMetric(metric: unknown, path: string, faults: Faults): void {
  const type = textAt(metric, 'type');
  const field = metricSources[type];
  if (field === undefined) faults.unsupported(`${path}.type`, type, Object.keys(metricSources));
  else if (!isRecord(metric) || metric[field] === undefined)
    faults.required(`${path}.${field}`, 'must populate information for the given metric source');
}

const disruptionBudget: KindCheck = (object, _old, faults) => {
  const spec = specOf(object);
  if (spec['minAvailable'] !== undefined && spec['maxUnavailable'] !== undefined)
    faults.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set');
  for (const field of ['minAvailable', 'maxUnavailable']) {
    checkCount(spec[field], `spec.${field}`, faults);
    atMostAll(spec[field], `spec.${field}`, faults);
  }
  checkSelector(spec['selector'], 'spec.selector', faults);
  const policy = textAt(spec, 'unhealthyPodEvictionPolicy');
  const policies = ['AlwaysAllow', 'IfHealthyBudget'];
  if (policy !== '' && !policies.includes(policy))
    faults.unsupported('spec.unhealthyPodEvictionPolicy', policy, policies);
};

/** Checks of workloads, by group and kind. */
export const workloadChecks: Readonly<Record<string, KindCheck>> = {
  '/Pod': pod,
  '/PodTemplate': podTemplate,
  '/ReplicationController': replicationController,
  'apps/DaemonSet': daemonSet,
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'apps/StatefulSet': statefulSet,
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'batch/CronJob': cronJob,
  'batch/Job': job,
  'policy/PodDisruptionBudget': disruptionBudget,
};
