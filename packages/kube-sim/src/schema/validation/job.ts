import { isRecord } from '@tiphys/api';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkPodTemplate } from './pod.ts';
import { domainPath, qualifiedName } from './text-forms.ts';

type Spec = Readonly<Record<string, unknown>>;

const notNegative = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
];

/** The spec of a Job, also of those that a CronJob makes. */
export function checkJobSpec(spec: Spec, path: string, faults: Faults): void {
  for (const field of notNegative) faults.notNegative(`${path}.${field}`, spec[field]);
  if (spec['maxFailedIndexes'] !== undefined && spec['backoffLimitPerIndex'] === undefined)
    faults.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified');
  const manager = spec['managedBy'];
  if (typeof manager === 'string') faults.malformed(`${path}.managedBy`, manager, domainPath(manager));
  checkMode(spec, path, faults);
  if (isRecord(spec['podFailurePolicy'])) checkFailurePolicy(spec, path, faults);
  if (isRecord(spec['successPolicy'])) checkSuccessPolicy(spec, path, faults);
  checkReplacement(spec, `${path}.podReplacementPolicy`, faults);
  checkPodTemplate(spec['template'], `${path}.template`, faults);
  const restartPath = `${path}.template.spec.restartPolicy`;
  const policy = partOf(partOf(spec, 'template'), 'spec')['restartPolicy'];
  if (policy === 'Always' || policy === undefined) faults.required(restartPath, 'valid values: "OnFailure", "Never"');
  else if (policy !== 'OnFailure' && policy !== 'Never')
    faults.unsupported(restartPath, policy, ['OnFailure', 'Never']);
  else if (isRecord(spec['podFailurePolicy']) && policy !== 'Never')
    faults.invalid(restartPath, policy, 'only "Never" is supported when podFailurePolicy is specified');
}

function checkMode(spec: Spec, path: string, faults: Faults): void {
  const mode = textAt(spec, 'completionMode');
  if (mode !== '' && mode !== 'NonIndexed' && mode !== 'Indexed')
    faults.unsupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']);
  if (mode !== 'Indexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'])
      if (spec[field] !== undefined)
        faults.invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode');
    return;
  }
  const completions = numberIn(spec, 'completions');
  if (completions === undefined) faults.required(`${path}.completions`, 'when completion mode is Indexed');
  const most = numberIn(spec, 'maxFailedIndexes');
  if (completions !== undefined && most !== undefined && most > completions)
    faults.invalid(`${path}.maxFailedIndexes`, most, 'must be less than or equal to completions');
}

const maxRules = 20;

function checkFailurePolicy(spec: Spec, path: string, faults: Faults): void {
  const rules = itemsAt(spec['podFailurePolicy'], 'rules');
  if (rules.length > maxRules) faults.tooMany(`${path}.podFailurePolicy.rules`, rules.length, maxRules);
  for (const [index, rule] of rules.entries())
    checkFailureRule(rule, { path: `${path}.podFailurePolicy.rules[${index}]`, spec }, faults);
}

type RulePlace = Readonly<{ path: string; spec: Spec }>;

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function checkFailureRule(rule: unknown, { path, spec }: RulePlace, faults: Faults): void {
  const action = textAt(rule, 'action');
  if (action === '') faults.required(`${path}.action`, `valid values: ${actions.map((one) => `"${one}"`).join(', ')}`);
  else if (action === 'FailIndex' && spec['backoffLimitPerIndex'] === undefined)
    faults.invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set');
  else if (!actions.includes(action)) faults.unsupported(`${path}.action`, action, actions);
  const exits = isRecord(rule) ? rule['onExitCodes'] : undefined;
  if (isRecord(exits)) checkExitCodes(exits, { path: `${path}.onExitCodes`, spec }, faults);
  const conditions = itemsAt(rule, 'onPodConditions');
  for (const [index, condition] of conditions.entries())
    checkCondition(condition, `${path}.onPodConditions[${index}]`, faults);
  const has = [isRecord(exits), conditions.length > 0].filter(Boolean).length;
  const text = has === 2 ? 'specifying both OnExitCodes and OnPodConditions is not supported' : undefined;
  if (text !== undefined) faults.wrong(path, text);
  else if (has === 0) faults.wrong(path, 'specifying one of OnExitCodes and OnPodConditions is required');
}

function checkExitCodes(exits: Spec, { path, spec }: RulePlace, faults: Faults): void {
  const operator = textAt(exits, 'operator');
  const operators = ['In', 'NotIn'];
  if (operator === '') faults.required(`${path}.operator`, 'valid values: "In", "NotIn"');
  else if (!operators.includes(operator)) faults.unsupported(`${path}.operator`, operator, operators);
  const name = exits['containerName'];
  const podSpec = partOf(partOf(spec, 'template'), 'spec');
  const names = ['containers', 'initContainers'].flatMap((field) =>
    itemsAt(podSpec, field).map((one) => textAt(one, 'name')),
  );
  if (typeof name === 'string' && !names.includes(name))
    faults.invalid(
      `${path}.containerName`,
      name,
      'must be one of the container or initContainer names in the pod template',
    );
  const values = itemsAt(exits, 'values').map(Number);
  if (values.length === 0) faults.invalid(`${path}.values`, [], 'at least one value is required');
  if (values.length > 255) faults.tooMany(`${path}.values`, values.length, 255);
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    if (value === 0 && operator === 'In')
      faults.invalid(`${path}.values[${index}]`, value, 'must not be 0 for the In operator');
    if (seen.has(value)) faults.duplicate(`${path}.values[${index}]`, value);
    seen.add(value);
  }
  if (values.some((value, index) => value < (values[index - 1] ?? value)))
    faults.invalid(`${path}.values`, values, 'must be ordered');
}

function checkCondition(condition: unknown, path: string, faults: Faults): void {
  const type = textAt(condition, 'type');
  if (type === '') faults.required(`${path}.type`);
  else faults.malformed(`${path}.type`, type, qualifiedName(type));
  const status = textAt(condition, 'status');
  const known = ['False', 'True', 'Unknown'];
  if (status === '') faults.required(`${path}.status`, 'valid values: "False", "True", "Unknown"');
  else if (!known.includes(status)) faults.unsupported(`${path}.status`, status, known);
}

function checkSuccessPolicy(spec: Spec, path: string, faults: Faults): void {
  const policy = spec['successPolicy'];
  if (textAt(spec, 'completionMode') !== 'Indexed') {
    faults.invalid(`${path}.successPolicy`, policy, 'requires indexed completion mode');
    return;
  }
  const rules = itemsAt(policy, 'rules');
  const rulesPath = `${path}.successPolicy.rules`;
  if (rules.length === 0)
    faults.required(rulesPath, 'at least one rules must be specified when the successPolicy is specified');
  if (rules.length > maxRules) faults.tooMany(rulesPath, rules.length, maxRules);
  for (const [index, rule] of rules.entries())
    checkSuccessRule(rule, { path: `${rulesPath}[${index}]`, completions: numberIn(spec, 'completions') ?? 0 }, faults);
}

function checkSuccessRule(
  rule: unknown,
  { path, completions }: Readonly<{ path: string; completions: number }>,
  faults: Faults,
): void {
  const indexes = isRecord(rule) ? rule['succeededIndexes'] : undefined;
  const count = numberIn(rule, 'succeededCount');
  if (typeof indexes !== 'string' && count === undefined) {
    faults.required(path, 'at least one of succeededCount or succeededIndexes must be specified');
    return;
  }
  const parsed = typeof indexes === 'string' ? countIndexes(indexes, completions) : undefined;
  if (parsed?.fault !== undefined)
    faults.invalid(`${path}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${parsed.fault}`);
  if (count === undefined) return;
  const countPath = `${path}.succeededCount`;
  faults.notNegative(countPath, count);
  if (count > completions)
    faults.invalid(
      countPath,
      count,
      `must be less than or equal to ${completions} (the number of specified completions)`,
    );
  if (parsed !== undefined && parsed.fault === undefined && count > parsed.count)
    faults.invalid(
      countPath,
      count,
      `must be less than or equal to ${parsed.count} (the number of indexes in the specified succeededIndexes field)`,
    );
}

/** How many indexes a text like `0,2-4` names, or what is wrong with it. */
function countIndexes(text: string, completions: number): Readonly<{ count: number; fault?: string }> {
  let count = 0;
  let previous: number | undefined;
  for (const part of text === '' ? [] : text.split(',')) {
    const ends = part.split('-');
    if (ends.length > 2)
      return {
        count,
        fault: `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`,
      };
    for (const end of ends) {
      if (!/^\d+$/.test(end)) return { count, fault: `cannot convert string to integer for index: "${end}"` };
      if (Number(end) >= completions) return { count, fault: `too large index: "${end}"` };
      if (previous !== undefined && previous >= Number(end))
        return { count, fault: `non-increasing order, previous: ${previous}, current: ${Number(end)}` };
      previous = Number(end);
    }
    count += Number(ends.at(-1)) - Number(ends[0]) + 1;
  }
  return { count };
}

function checkReplacement(spec: Spec, path: string, faults: Faults): void {
  const policy = spec['podReplacementPolicy'];
  if (typeof policy !== 'string') return;
  const known = isRecord(spec['podFailurePolicy']) ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  if (!known.includes(policy)) faults.unsupported(path, policy, known);
}
