import { aggregatedRules } from '../server/authorization/rules.ts';
import { sameJson } from '../patch/same-json.ts';
import type { Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

const resource = 'clusterroles.rbac.authorization.k8s.io';

/** Gives ClusterRoles with an aggregation rule the rules of those that it selects. */
export const roleAggregation = (bench: Workbench): Controller => ({
  name: 'clusterrole-aggregation',
  concerns: (event) =>
    event.resource === resource
      ? bench
          .list(resource)
          .flatMap((role) => (role['aggregationRule'] === undefined ? [] : (role.metadata.name ?? [])))
      : [],
  reconcile: (name) => {
    const role = bench.get({ resource, namespace: '', name });
    if (role?.['aggregationRule'] === undefined) return undefined;
    const rules = aggregatedRules(role, bench.list(resource));
    if (!sameJson(rules, role['rules'] ?? [])) bench.update({ ...role, rules }, 'clusterrole-aggregation-controller');
    return undefined;
  },
});
