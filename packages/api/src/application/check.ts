import { at, isRecord, listAt, stringAt } from '../object.ts';
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
import { stringifyYaml } from '../yaml.ts';
import { type Application, applicationApiVersion, applicationSchema } from './application.ts';
import { checkSources } from './check-source.ts';
import { checkSyncOption } from './sync-options.ts';

const aliasApiVersion = 'argocd.io/v1alpha1';

/** Several documents write the group as `argocd.io`; it is read as the real one (DISC-01). */
export function withRealGroup(value: unknown): { value: unknown; findings: Findings } {
  if (!isRecord(value) || value['apiVersion'] !== aliasApiVersion) return { value, findings: nothing };
  return {
    value: { ...value, apiVersion: applicationApiVersion },
    findings: warning('apiVersion', `${aliasApiVersion} is read as ${applicationApiVersion}; write that`, 'DISC-01'),
  };
}

/** The ApplicationSet that somebody who listed several destinations needs. */
function setFor(value: unknown): unknown {
  const metadata = at(value, 'metadata');
  const spec = at(value, 'spec');
  const name = stringAt(metadata, 'name') ?? 'my-app';
  const rest = Object.fromEntries(
    Object.entries(isRecord(spec) ? spec : {}).filter(([field]) => field !== 'destinations'),
  );
  const elements = listAt(spec, 'destinations').map((destination, index) => ({
    index: String(index + 1),
    server: at(destination, 'server') ?? at(destination, 'name') ?? '',
    namespace: at(destination, 'namespace') ?? '',
  }));
  const key = listAt(spec, 'destinations').some((destination) => at(destination, 'name') !== undefined)
    ? 'name'
    : 'server';
  return {
    apiVersion: applicationApiVersion,
    kind: 'ApplicationSet',
    metadata: { name, namespace: at(metadata, 'namespace') ?? 'argocd' },
    spec: {
      generators: [{ list: { elements } }],
      template: {
        metadata: { name: `${name}-{{index}}` },
        spec: { ...rest, destination: { [key]: '{{server}}', namespace: '{{namespace}}' } },
      },
    },
  };
}

const checkPlural = (value: unknown): Findings =>
  at(value, 'spec', 'destinations') === undefined
    ? nothing
    : problem(
        'spec.destinations',
        'an Application has one `destination`; use an ApplicationSet with a list or cluster generator, such as this one ' +
          `(DISC-02):\n${stringifyYaml(setFor(value))}`,
      );

function checkDestination({ destination }: Application['spec']): Findings {
  const { server = '', name = '' } = destination;
  if (server !== '' && name !== '')
    return problem('spec.destination', 'has both `server` and `name`; a cluster is named by one of them');
  if (server === '' && name === '')
    return problem(
      'spec.destination',
      'names no cluster: set `server` (https://kubernetes.default.svc is this one) or `name`',
    );
  return nothing;
}

const checkProject = ({ project = '' }: Application['spec']): Findings =>
  project === '' ? warning('spec.project', 'is missing; `default` is used', 'DISC-05') : nothing;

const pointer = /^(?:\/(?:[^~/]|~[01])*)*$/;

function checkIgnoreRules({ ignoreDifferences = [] }: Application['spec']): Findings {
  const findings = ignoreDifferences.flatMap(({ kind, jsonPointers = [] }, index) => [
    kind === '' ? problem(`spec.ignoreDifferences[${index}].kind`, 'is required') : nothing,
    ...jsonPointers.map((text, place) =>
      pointer.test(text)
        ? nothing
        : problem(
            `spec.ignoreDifferences[${index}].jsonPointers[${place}]`,
            `"${text}" is no JSON pointer: it begins with "/", and "~" is written "~0", "/" inside a name "~1"`,
          ),
    ),
  ]);
  return joinFindings(findings);
}

const duration = /^(?:\d+|(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/;

function checkRetry(spec: Application['spec']): Findings {
  const backoff = spec.syncPolicy?.retry?.backoff;
  const findings = (['duration', 'maxDuration'] as const).map((field) => {
    const value = backoff?.[field] ?? '';
    return value === '' || duration.test(value)
      ? nothing
      : problem(`spec.syncPolicy.retry.backoff.${field}`, `"${value}" is no duration such as 5s, 3m or 1h30m`);
  });
  return joinFindings(findings);
}

// An option of the contract's future must not make a stored application invalid; a slip of the pen can still be put right on create.
function checkSyncOptions(spec: Application['spec'], { mode }: ParseOptions): Findings {
  const findings = (spec.syncPolicy?.syncOptions ?? []).map((option, index) => {
    const wrong = checkSyncOption(option);
    if (wrong === undefined) return nothing;
    const found = { path: `spec.syncPolicy.syncOptions[${index}]`, ...wrong };
    return mode === 'create' && wrong.nearest !== undefined
      ? { problems: [found], warnings: [] }
      : { problems: [], warnings: [found] };
  });
  return joinFindings(findings);
}

function checkAnnotations({ metadata }: Application): Findings {
  const options = metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? '';
  if (!options.includes('RespectIgnoreDifferences')) return nothing;
  return warning(
    'metadata.annotations["argocd.argoproj.io/sync-options"]',
    'RespectIgnoreDifferences does nothing here and overrides no sync window; it belongs in spec.syncPolicy.syncOptions',
    'DISC-15',
  );
}

const dnsName = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** The name rule of the API server, told before the request. */
export function checkName(metadata: { name?: string; generateName?: string }, { mode }: ParseOptions): Findings {
  const { name = '', generateName = '' } = metadata;
  if (mode === 'read' || (name === '' && generateName !== '')) return nothing;
  if (name === '') return problem('metadata.name', 'is required');
  return dnsName.test(name) && name.length <= 253
    ? nothing
    : problem('metadata.name', `"${name}" may hold lower-case letters, digits, "-" and "." only`);
}

/**
 * Reads an Application and checks all that needs no look at a cluster or repository.
 * `create` is for what somebody hands in: unknown fields refuse it. `read` is for what is stored: they become warnings.
 */
export function parseApplication(value: unknown, options: ParseOptions): Checked<Application> {
  const { value: real, findings } = withRealGroup(value);
  const parsed = parseWith(applicationSchema, real);
  const { spec, metadata } = parsed.value;
  const plural = at(real, 'spec', 'destinations') !== undefined;
  // Who listed several destinations hears of that alone, not that the single one is missing as well.
  const problems = plural ? parsed.problems.filter(({ path }) => path !== 'spec.destination') : parsed.problems;
  const rules = [
    findings,
    checkPlural(real),
    checkName(metadata, options),
    checkSources(spec),
    plural ? nothing : checkDestination(spec),
    checkProject(spec),
    checkIgnoreRules(spec),
    checkRetry(spec),
    checkSyncOptions(spec, options),
    checkAnnotations(parsed.value),
  ];
  return weigh({ ...parsed, problems }, joinFindings(rules), options);
}
