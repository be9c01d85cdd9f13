import { withRealGroup } from '../application/check.ts';
import { checkName } from '../application/check.ts';
import {
  type Checked,
  type Findings,
  joinFindings,
  nothing,
  type ParseOptions,
  problem,
  warning,
  weigh,
} from '../schema/findings.ts';
import { parseWith } from '../schema/parse.ts';
import { type AppProject, type AppProjectSpec, appProjectSchema } from './app-project.ts';

/** Well-known namespaced kinds outside the core group: who writes them with an empty group gets a rule that matches nothing. */
const groups: ReadonlyMap<string, string> = new Map([
  ...['Ingress', 'NetworkPolicy'].map((kind) => [kind, 'networking.k8s.io'] as const),
  ...['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'].map(
    (kind) => [kind, 'apps'] as const,
  ),
  ...['CronJob', 'Job'].map((kind) => [kind, 'batch'] as const),
  ...['Role', 'RoleBinding'].map((kind) => [kind, 'rbac.authorization.k8s.io'] as const),
  ['EndpointSlice', 'discovery.k8s.io'],
  ['HorizontalPodAutoscaler', 'autoscaling'],
  ['Lease', 'coordination.k8s.io'],
  ['PodDisruptionBudget', 'policy'],
]);

function checkKinds(spec: AppProjectSpec): Findings {
  const findings = (['namespaceResourceBlacklist', 'namespaceResourceWhitelist'] as const).flatMap((field) =>
    (spec[field] ?? []).map(({ group, kind }, index) => {
      const real = group === '' ? groups.get(kind) : undefined;
      if (real === undefined) return nothing;
      const message = `no kind ${kind} in the core group, so this matches nothing; did you mean group ${real}?`;
      return warning(`spec.${field}[${index}].group`, message, 'DISC-07');
    }),
  );
  return joinFindings(findings);
}

function checkDestinations({ destinations = [] }: AppProjectSpec): Findings {
  const findings = destinations.flatMap((destination, index) =>
    (['server', 'name', 'namespace'] as const).map((field) =>
      destination[field] === '!*'
        ? problem(`spec.destinations[${index}].${field}`, '"!*" denies everything; leave the entry out instead')
        : nothing,
    ),
  );
  return joinFindings(findings);
}

const roleName = /^[a-zA-Z0-9](?:[-_a-zA-Z0-9]*[a-zA-Z0-9])?$/;

function checkRoles({ roles = [] }: AppProjectSpec): Findings {
  const seen = new Set<string>();
  const findings = roles.map(({ name }, index) => {
    const path = `spec.roles[${index}].name`;
    if (!roleName.test(name)) return problem(path, `"${name}" may hold letters, digits, "-" and "_" only`);
    if (seen.has(name)) return problem(path, `"${name}" names another role already`);
    seen.add(name);
    return nothing;
  });
  return joinFindings(findings);
}

function checkWindows({ syncWindows = [] }: AppProjectSpec): Findings {
  const findings = syncWindows.map(({ kind, schedule = '', duration = '', description = '' }, index) => {
    const path = `spec.syncWindows[${index}]`;
    if (kind === undefined) return problem(`${path}.kind`, 'is required: allow or deny');
    if (schedule === '') return problem(`${path}.schedule`, 'is required: a cron expression');
    if (duration === '') return problem(`${path}.duration`, 'is required: such as 1h');
    if (description.length > 255) return problem(`${path}.description`, 'may have 255 characters at most');
    return nothing;
  });
  return joinFindings(findings);
}

/** Reads an AppProject and checks all that needs no look at a cluster; `mode` as for parseApplication. */
export function parseAppProject(value: unknown, options: ParseOptions): Checked<AppProject> {
  const { value: real, findings } = withRealGroup(value);
  const parsed = parseWith(appProjectSchema, real);
  const { spec, metadata } = parsed.value;
  const rules = [
    findings,
    checkName(metadata, options),
    checkKinds(spec),
    checkDestinations(spec),
    checkRoles(spec),
    checkWindows(spec),
  ];
  return weigh(parsed, joinFindings(rules), options);
}
