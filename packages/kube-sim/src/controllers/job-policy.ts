import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';

/** What becomes of a pod that failed: it counts, it does not, or its index or its whole Job fails at once. */
export type PodFailure = Readonly<
  { kind: 'count' } | { kind: 'ignore' } | { kind: 'fail-index' } | { kind: 'fail-job'; message: string }
>;

type Exit = Readonly<{ container: string; code: number }>;

/** Containers of a pod that ended with something else than 0. */
const exitsOf = (pod: KubeObject): readonly Exit[] =>
  [...listAt(pod, 'status', 'containerStatuses'), ...listAt(pod, 'status', 'initContainerStatuses')].flatMap(
    (status) => {
      const code = numberAt(status, 'state', 'terminated', 'exitCode') ?? 0;
      return code === 0 ? [] : [{ container: stringAt(status, 'name') ?? '', code }];
    },
  );

function exitThatMatches(pod: KubeObject, wanted: unknown): Exit | undefined {
  const name = stringAt(wanted, 'containerName');
  const values = listAt(wanted, 'values').map(Number);
  const isIn = stringAt(wanted, 'operator') === 'In';
  return exitsOf(pod).find(
    ({ container, code }) => (name === undefined || name === container) && values.includes(code) === isIn,
  );
}

function conditionThatMatches(pod: KubeObject, wanted: readonly unknown[]): unknown {
  return listAt(pod, 'status', 'conditions').find((condition) =>
    wanted.some((pattern) => ['type', 'status'].every((field) => at(pattern, field) === at(condition, field))),
  );
}

/** Why a rule matches a pod, in the words of the message; undefined when it does not. */
function matchText(pod: KubeObject, rule: unknown): string | undefined {
  const name = `pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
  const exits = at(rule, 'onExitCodes');
  const exit = isRecord(exits) ? exitThatMatches(pod, exits) : undefined;
  if (exit !== undefined) return `Container ${exit.container} for ${name} failed with exit code ${exit.code}`;
  const condition = conditionThatMatches(pod, listAt(rule, 'onPodConditions'));
  return condition === undefined ? undefined : `${name} has condition ${stringAt(condition, 'type') ?? ''}`;
}

/** What a Job's pod failure policy says about a failed pod: the first rule that matches counts. */
export function failureOf(job: KubeObject, pod: KubeObject): PodFailure {
  for (const [index, rule] of listAt(job, 'spec', 'podFailurePolicy', 'rules').entries()) {
    const text = matchText(pod, rule);
    if (text === undefined) continue;
    switch (stringAt(rule, 'action')) {
      case 'FailJob': {
        const sentence = text.startsWith('pod') ? `Pod${text.slice('pod'.length)}` : text;
        return { kind: 'fail-job', message: `${sentence} matching FailJob rule at index ${index}` };
      }
      case 'Ignore':
        return { kind: 'ignore' };
      case 'FailIndex':
        return { kind: 'fail-index' };
      default:
        return { kind: 'count' };
    }
  }
  return { kind: 'count' };
}

/** Numbers as a Job's status has them: `0,2-4`. */
export function indexText(indexes: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run?.[1] === index - 1) run[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`))
    .join();
}

/** The numbers of such a text. */
export const indexesOf = (text: string): readonly number[] =>
  text
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => first + offset);
    });

/** The message of the first rule of a Job's success policy that its succeeded indexes meet. */
export function successOf(job: KubeObject, succeeded: readonly number[]): string | undefined {
  for (const [index, rule] of listAt(job, 'spec', 'successPolicy', 'rules').entries()) {
    const text = stringAt(rule, 'succeededIndexes');
    const wanted = text === undefined ? undefined : indexesOf(text);
    const met = wanted === undefined ? succeeded : succeeded.filter((one) => wanted.includes(one));
    const count = numberAt(rule, 'succeededCount') ?? wanted?.length ?? 0;
    if (met.length >= count) return `Matched rules at index ${index}`;
  }
  return undefined;
}
