import {
  type Application,
  type ApplicationStatus,
  type Because,
  type OperationState,
  type RevisionHistory,
  type WaitingFor,
  timeText,
} from '@tiphys/api';
import {
  applicationHealth,
  asConditions,
  assess,
  assessChanges,
  type Comparison,
  conditionTypes,
  type FoundCondition,
  healthField,
  liveOf,
  mergeConditions,
  repeatedResources,
  resourceStatuses,
  sharedMessage,
  sharedResources,
  summaryOf,
  type WantedSource,
} from '@tiphys/engine';
import type { InstallationSettings } from '@tiphys/operations';
import type { SharedObject } from '../watch/desired-index.ts';
import { isMultiSource, revisionFields, sourceFields } from '../compare/sources.ts';

/** How a comparison ended. */
export type Compared = Readonly<
  | {
      kind: 'compared';
      comparison: Comparison;
      status: 'Synced' | 'OutOfSync' | 'Unknown';
      sources: readonly WantedSource[];
      /** Objects that other applications desire too. */
      shared: readonly SharedObject[];
    }
  | {
      kind: 'failed';
      type: 'ComparisonError' | 'InvalidSpecError';
      messages: readonly string[];
      /** Until then the last verdict stays as it is: the failure may pass. */
      tolerated?: Date | undefined;
    }
>;

/** All that a status follows from. */
export type StatusFacts = Readonly<{
  application: Application;
  /** Tracking name. */
  instance: string;
  compared: Compared;
  /** Odd things in the spec. */
  warnings: readonly string[];
  /** Why the automated sync refuses. */
  syncError?: string | undefined;
  waitingFor?: readonly Because[] | undefined;
  operationState?: OperationState | undefined;
  /** The history after a sync; as it was when absent. */
  history?: readonly RevisionHistory[] | undefined;
  settings: InstallationSettings;
  controllerNamespace: string;
  now: Date;
}>;

/** How an application of the index, `namespace/name`, is called in the tracking marks. */
const trackingName = (key: string, controlNamespace: string): string => {
  const [namespace = '', name = ''] = key.split('/');
  return namespace === controlNamespace ? name : `${namespace}_${name}`;
};

function foundConditions(facts: StatusFacts): FoundCondition[] {
  const { compared, warnings, syncError, instance, settings, application, controllerNamespace } = facts;
  const found: FoundCondition[] = warnings.map((message) => ({ type: 'SpecWarning', message }));
  if (syncError !== undefined) found.push({ type: 'SyncError', message: syncError });
  if (compared.kind === 'failed')
    return [...found, ...compared.messages.map((message) => ({ type: compared.type, message }))];
  const { shared } = compared;
  const shownAs = `${application.metadata.namespace ?? ''}/${application.metadata.name ?? ''}`;
  const { changes, rendered, desired, errors, warnings: odd } = compared.comparison;
  const repeated = rendered.warnings.flatMap(({ kind, message }) =>
    kind === 'repeated' ? [{ code: kind, message }] : [],
  );
  return [
    ...found,
    ...asConditions('ComparisonError', errors),
    ...asConditions(
      'SpecWarning',
      odd.filter(({ code }) => code !== 'excluded-resource'),
    ),
    ...asConditions(
      'ExcludedResourceWarning',
      odd.filter(({ code }) => code === 'excluded-resource'),
    ),
    ...shared.map(({ key, others }): FoundCondition => {
      const names = others.map((other) => trackingName(other, controllerNamespace));
      return { type: 'SharedResourceWarning', message: sharedMessage(key, shownAs, names) };
    }),
    ...asConditions(
      'SharedResourceWarning',
      sharedResources(changes, { application: instance, tracking: settings.tracking }, shownAs),
    ),
    ...asConditions('RepeatedResourceWarning', [...repeated, ...repeatedResources(desired)]),
  ];
}

/** What an application waits for, with the time since when. */
function waits(reasons: readonly Because[], before: readonly WaitingFor[], now: Date): WaitingFor[] {
  return reasons.map((because) => {
    const same = before.find(({ code, object }) => code === because.code && object === because.object);
    return { ...because, since: same?.since ?? timeText(now) };
  });
}

type Failed = Extract<Compared, { kind: 'failed' }>;

const isTolerated = (compared: Compared): compared is Failed & Readonly<{ tolerated: Date }> =>
  compared.kind === 'failed' && compared.tolerated !== undefined;

/** A source that cannot be read for the moment: the verdict is an older one, and says so. */
function sourceWait({ compared }: StatusFacts): Because[] {
  if (!isTolerated(compared)) return [];
  const until = timeText(compared.tolerated);
  return [{ code: 'source-unreadable', until, message: compared.messages.join('; ') }];
}

/** What is waited for, each thing once: an operation may wait for its source as the comparison does. */
function waitsOf(facts: StatusFacts): readonly Because[] {
  const own = facts.waitingFor ?? [];
  return [...sourceWait(facts).filter(({ code }) => own.every((because) => because.code !== code)), ...own];
}

/** The part of the status that a comparison decides. After a failure the last good revision and resources stay. */
function comparedPart({ application, compared, settings, now }: StatusFacts): Partial<ApplicationStatus> {
  const before = application.status;
  if (compared.kind === 'failed') {
    if (isTolerated(compared)) return {};
    const health =
      before?.health?.status === undefined ? healthField(undefined, { status: 'Unknown' }, now) : before.health;
    return { sync: { ...before?.sync, status: 'Unknown' }, health };
  }
  const { comparison, status, sources } = compared;
  const { ignoreDifferences = [], destination } = application.spec;
  const assessed = assessChanges(comparison.changes, assess);
  const types = [...comparison.rendered.sourceTypes];
  return {
    sync: {
      status,
      comparedTo: {
        ...sourceFields(application, sources),
        destination,
        ...(ignoreDifferences.length > 0 && { ignoreDifferences }),
      },
      ...revisionFields(application, comparison.revisions),
    },
    health: healthField(before?.health, applicationHealth(assessed), now),
    resources: [...resourceStatuses(assessed, settings.persistResourceHealth)],
    summary: summaryOf(comparison.changes.flatMap((change) => liveOf(change) ?? [])),
    ...(isMultiSource(application) ? { sourceTypes: types } : { sourceType: types[0] ?? 'Directory' }),
    reconciledAt: timeText(now),
  };
}

/** Conditions that a pass looks at; DeletionError is the deletion's own. */
const lookedAt = conditionTypes.filter((type) => type !== 'DeletionError');

/** The status as Argo CD writes it (contract 1.5), and ours: `waitingFor`. */
export function describeStatus(facts: StatusFacts): ApplicationStatus {
  const { application, now } = facts;
  const before: ApplicationStatus = application.status ?? {};
  const conditions = isTolerated(facts.compared)
    ? (before.conditions ?? [])
    : [...mergeConditions(before.conditions ?? [], foundConditions(facts), { types: lookedAt, now })];
  const waitingFor = waits(waitsOf(facts), before.waitingFor ?? [], now);
  const operationState = facts.operationState ?? before.operationState;
  const history = facts.history ?? before.history;
  const { conditions: _, waitingFor: __, operationState: ___, history: ____, ...kept } = before;
  const part = comparedPart(facts);
  // An application that came to have several sources, or one again, keeps nothing of the other form.
  const { sourceType: _____, sourceTypes: ______, ...formless } = kept;
  return {
    ...(part.summary === undefined ? kept : formless),
    ...part,
    controllerNamespace: facts.controllerNamespace,
    ...(!facts.settings.persistResourceHealth && { resourceHealthSource: 'appTree' }),
    ...(conditions.length > 0 && { conditions }),
    ...(waitingFor.length > 0 && { waitingFor }),
    ...(operationState !== undefined && { operationState }),
    ...(history !== undefined && history.length > 0 && { history: [...history] }),
  };
}
