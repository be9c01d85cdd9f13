import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { conditionOf } from './conditions.ts';
import { verdict, type Health } from './health.ts';

const hookAnnotations = ['argocd.argoproj.io/hook', 'helm.sh/hook'];

/** The health check of a pod that is meant to run on, whatever its restart policy says (contract 2.1); never of a hook. */
function runsOn(live: KubeObject): boolean {
  if ((stringAt(live, 'spec', 'restartPolicy') ?? 'Always') === 'Always') return true;
  const { annotations = {} } = live.metadata;
  if (hookAnnotations.some((name) => annotations[name] !== undefined)) return false;
  return annotations['argocd.argoproj.io/ignore-restart-policy'] === 'true';
}

type ContainerStatus = Record<string, unknown>;

const containerStatuses = (live: KubeObject): readonly ContainerStatus[] =>
  [...listAt(live, 'status', 'initContainerStatuses'), ...listAt(live, 'status', 'containerStatuses')].filter(isRecord);

const nameOf = (container: ContainerStatus): string => stringAt(container, 'name') ?? '';

/** `CrashLoopBackOff`, `ErrImagePull`, `CreateContainerConfigError`, ... */
const isErrorReason = (reason: string): boolean =>
  reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff');

function waitingErrors(live: KubeObject): string[] {
  return containerStatuses(live).flatMap((container) => {
    const reason = stringAt(container, 'state', 'waiting', 'reason') ?? '';
    if (!isErrorReason(reason)) return [];
    const message = stringAt(container, 'state', 'waiting', 'message');
    return [`${nameOf(container)}: ${reason}${message === undefined ? '' : ` (${message})`}`];
  });
}

function terminationText(container: ContainerStatus): string | undefined {
  const ended = at(container, 'state', 'terminated');
  if (!isRecord(ended)) return undefined;
  const code = numberAt(ended, 'exitCode') ?? 0;
  const reason = stringAt(ended, 'reason');
  if (code === 0 && reason !== 'OOMKilled') return undefined;
  const message = stringAt(ended, 'message');
  if (message !== undefined && message !== '') return `${nameOf(container)}: ${message}`;
  if (reason === 'OOMKilled') return `${nameOf(container)}: OOMKilled`;
  return `${nameOf(container)}: exit code ${code}`;
}

function failureText(live: KubeObject): string {
  const message = stringAt(live, 'status', 'message') ?? '';
  if (message !== '') return message;
  const ended = containerStatuses(live).map(terminationText);
  return ended.find((text) => text !== undefined) ?? '';
}

function assessRunning(live: KubeObject): Health {
  if (!runsOn(live)) return verdict('Progressing', stringAt(live, 'status', 'message'));
  if (conditionOf(live, 'Ready')?.status === 'True') return verdict('Healthy', stringAt(live, 'status', 'message'));
  // Init containers may have been tried more than once on the way here.
  const restarted = listAt(live, 'status', 'containerStatuses')
    .filter(isRecord)
    .find((container) => isRecord(at(container, 'lastState', 'terminated')));
  if (restarted === undefined) return verdict('Progressing', stringAt(live, 'status', 'message'));
  const reason = stringAt(restarted, 'lastState', 'terminated', 'reason') ?? 'it ended';
  return verdict('Degraded', `${nameOf(restarted)}: not ready after a restart (${reason})`);
}

/** Pod: by phase, with the containers' errors first (contract 5.2). The message names container and reason. */
export function assessPod(live: KubeObject): Health {
  const errors = runsOn(live) ? waitingErrors(live) : [];
  if (errors.length > 0) return verdict('Degraded', errors.join(', '));
  switch (stringAt(live, 'status', 'phase') ?? '') {
    case 'Succeeded':
      return verdict('Healthy', stringAt(live, 'status', 'message'));
    case 'Failed':
      return verdict('Degraded', failureText(live));
    case 'Running':
      return assessRunning(live);
    case '':
    case 'Pending':
      return verdict('Progressing', stringAt(live, 'status', 'message'));
    default:
      return verdict('Unknown', stringAt(live, 'status', 'message'));
  }
}
