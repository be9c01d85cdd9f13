import type { Cluster } from '../server/cluster.ts';
import { cronJobs } from './cron-job.ts';
import { daemonSets } from './daemon-set.ts';
import { definitions } from './definition.ts';
import { deployments } from './deployment.ts';
import { endpoints } from './endpoints.ts';
import { eventExpiry } from './event-expiry.ts';
import { garbageCollector } from './garbage-collector.ts';
import { jobs } from './job.ts';
import { kubelet, type PodTimes } from './kubelet.ts';
import { loadBalancers } from './load-balancer.ts';
import { autoscalers } from './autoscaler.ts';
import { disruptionBudgets } from './disruption-budget.ts';
import { ControllerLoop } from './loop.ts';
import { namespaces } from './namespace.ts';
import { resourceQuotas } from './quota.ts';
import type { ServiceAccountTokens } from '../server/authorization/service-account-tokens.ts';
import { accountTokens } from './account-token.ts';
import { roleAggregation } from './role-aggregation.ts';
import { replicaSets } from './replica-set.ts';
import { statefulSets } from './stateful-set.ts';
import { persistentVolumes } from './volume.ts';
import { createWorkbench } from './workbench.ts';

/** How quickly the simulated part of the cluster moves, in milliseconds. */
export type SimulationSettings = PodTimes;

export const defaultSimulation: SimulationSettings = { startMs: 200, runMs: 200, stopMs: 50 };

/** Starts all controllers; they follow the store until stopped. */
export function startControllers(
  cluster: Cluster,
  options: Partial<SimulationSettings> & Readonly<{ caPem: string; tokens: ServiceAccountTokens }>,
): Readonly<{ stop: () => void }> {
  const bench = createWorkbench(cluster);
  const times = { ...defaultSimulation, ...options };
  return new ControllerLoop(cluster, [
    namespaces(bench, options.caPem),
    definitions(bench),
    garbageCollector(bench),
    deployments(bench),
    replicaSets(bench, 'replicasets.apps'),
    replicaSets(bench, 'replicationcontrollers'),
    statefulSets(bench),
    daemonSets(bench),
    jobs(bench),
    cronJobs(bench),
    autoscalers(bench),
    disruptionBudgets(bench),
    resourceQuotas(bench),
    roleAggregation(bench),
    accountTokens(bench, options),
    endpoints(bench),
    eventExpiry(bench),
    loadBalancers(bench),
    persistentVolumes(bench),
    kubelet(bench, times),
  ]);
}
