import { groupKindText, gvkOf, type KubeObject } from '@tiphys/api';
import { hookFinalizer } from '../sync/marks.ts';
import { assessAnalysisRun } from './analysis-run.ts';
import { assessApiService } from './api-service.ts';
import { assessApplication } from './application.ts';
import { assessCertificate, assessExternalSecret, assessSealedSecret } from './by-conditions.ts';
import { assessCronJob } from './cron-job.ts';
import { assessCustomResourceDefinition } from './custom-resource-definition.ts';
import { assessDaemonSet } from './daemon-set.ts';
import { assessDeployment } from './deployment.ts';
import { verdict, type Assess, type Health } from './health.ts';
import { assessHorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { assessIngress } from './ingress.ts';
import { assessJob } from './job.ts';
import { assessPersistentVolumeClaim } from './persistent-volume-claim.ts';
import { assessPod } from './pod.ts';
import { assessReplicaSet } from './replica-set.ts';
import { assessRollout } from './rollout.ts';
import { assessService } from './service.ts';
import { assessStatefulSet } from './stateful-set.ts';
import { assessWorkflow } from './workflow.ts';

/** The checks that are there without configuration, by `group/Kind`. A new one is a file and a line here. */
const builtIn: Readonly<Record<string, Assess>> = {
  'apiextensions.k8s.io/CustomResourceDefinition': assessCustomResourceDefinition,
  'apiregistration.k8s.io/APIService': assessApiService,
  'apps/DaemonSet': assessDaemonSet,
  'apps/Deployment': assessDeployment,
  'apps/ReplicaSet': assessReplicaSet,
  'apps/StatefulSet': assessStatefulSet,
  'argoproj.io/AnalysisRun': assessAnalysisRun,
  'argoproj.io/Application': assessApplication,
  'argoproj.io/Rollout': assessRollout,
  'argoproj.io/Workflow': assessWorkflow,
  'autoscaling/HorizontalPodAutoscaler': assessHorizontalPodAutoscaler,
  'batch/CronJob': assessCronJob,
  'batch/Job': assessJob,
  'bitnami.com/SealedSecret': assessSealedSecret,
  'cert-manager.io/Certificate': assessCertificate,
  'extensions/Ingress': assessIngress,
  'external-secrets.io/ExternalSecret': assessExternalSecret,
  'networking.k8s.io/Ingress': assessIngress,
  PersistentVolumeClaim: assessPersistentVolumeClaim,
  Pod: assessPod,
  Service: assessService,
};

const isLeaving = (live: KubeObject): boolean =>
  live.metadata.deletionTimestamp !== undefined && live.metadata.finalizers?.includes(hookFinalizer) !== true;

/**
 * How a live object fares: being deleted, then the `override` (a configured check; undefined: none for this kind), then the
 * built-in check. Undefined: there is no check, and the object does not count (contract 5.1).
 */
export function assess(live: KubeObject, override?: Assess): Health | undefined {
  if (isLeaving(live)) return verdict('Progressing', 'Pending deletion');
  return override?.(live) ?? builtIn[groupKindText(gvkOf(live))]?.(live);
}

/** Whether a kind has a built-in check. */
export const hasHealthCheck = (live: KubeObject): boolean => builtIn[groupKindText(gvkOf(live))] !== undefined;
