import { equalJson, isRecord } from '@tiphys/api';
import type { Difference } from './change.ts';
import { equalScalars, saysNothing, withoutNulls } from './equivalent.ts';
import { childShape, elementKey, itemShape, type FieldShape } from './field-shape.ts';
import { isFilledWhenZero, isServerDefault, type FieldOfStruct } from './server-defaults.ts';
import { elementStep, everything, fieldStep, indexStep, presenceStep, valueStep, type FieldSet } from './ownership.ts';

/** Where a walk stands: the type of the value, what of it is ours, its JSON pointer, and the struct that it is a field of. */
type Place = Readonly<{
  shape: FieldShape | undefined;
  owned: FieldSet | undefined;
  path: string;
  field?: FieldOfStruct | undefined;
}>;

const escape = (key: string | number): string => String(key).replaceAll('~', '~0').replaceAll('/', '~1');

const below = (place: Place, key: string, live: JsonRecord): Place => ({
  shape: childShape(place.shape, key),
  owned: place.owned?.get(fieldStep(key)) ?? ownedByTwin(place, key),
  path: `${place.path}/${escape(key)}`,
  field: fieldBelow(place, key, live),
});

/** Fields that the server keeps equal, an old name and a new one: who says one says both. */
const twins: Readonly<Record<string, readonly [string, string]>> = {
  'core.v1.PodSpec': ['serviceAccountName', 'serviceAccount'],
};

function withTwins(desired: JsonRecord, shape: FieldShape | undefined): JsonRecord {
  const [name, old] = twins[shape?.struct ?? ''] ?? [];
  if (name === undefined || old === undefined) return desired;
  const said = [desired[name], desired[old]].find((value) => typeof value === 'string' && value !== '');
  return said === undefined ? desired : { ...desired, [name]: said, [old]: said };
}

/** Taking back one of two twins takes back both: the server would fill it in from the other. */
function ownedByTwin({ shape, owned }: Place, key: string): FieldSet | undefined {
  const pair = twins[shape?.struct ?? ''];
  if (pair?.includes(key) !== true) return undefined;
  return owned?.get(fieldStep(pair[0] === key ? pair[1] : pair[0]));
}

function fieldBelow({ shape, field, path }: Place, key: string, live: JsonRecord): FieldOfStruct | undefined {
  // A CronJob's template is filled in when its Job is made.
  if (shape?.struct === 'batch.v1.JobSpec' && path !== '/spec') return undefined;
  if (shape?.struct !== undefined) return { struct: shape.struct, field: key, siblings: live };
  return shape?.map === undefined || field === undefined
    ? undefined
    : { struct: `${field.struct}.${field.field}`, field: key, siblings: field.siblings };
}

const element = ({ shape, path }: Place, index: number, owned?: FieldSet): Place => ({
  shape: itemShape(shape),
  owned,
  path: `${path}/${index}`,
});

/**
 * What a live value becomes when the desired one is applied: live, with all that desired says, and without what we set once and
 * desired no longer says. Where both mean the same (quantities, omitted and empty) live's form stays, so a value without
 * differences comes back unchanged. Differences are added to the list in the order of the walk.
 *
 * List elements are matched by the keys of the built-in kinds; lists of unknown kinds by position.
 */
export function predict(desired: unknown, live: unknown, at: { place: Place; differences: Difference[] }): unknown {
  const { place, differences } = at;
  // An explicit null makes the field ours under server-side apply, and the server writes its zero.
  if (desired === null && (live === null || isWrittenZero(live, place))) return live;
  if (desired === undefined || desired === null || isSilent(desired, place.shape))
    return live === undefined ? undefined : withdraw(live, place, differences);
  if (live === undefined || live === null) {
    if (saysNothing(desired, place.shape) || isBareStruct(desired, place)) return live;
    differences.push({ path: place.path, kind: 'missing' });
    return withoutNulls(desired);
  }
  if (isRecord(desired) && isRecord(live)) return predictRecord(desired, live, at);
  if (Array.isArray(desired) && Array.isArray(live)) return predictList(desired, live, at);
  if (!isRecord(desired) && !Array.isArray(desired) && equalScalars(desired, live, place.shape)) return live;
  if (isFilledIn(desired, live, place)) return live;
  differences.push({ path: place.path, kind: 'different' });
  return withoutNulls(desired);
}

/**
 * Structs of built-in kinds that say nothing while they are empty, so that charts write them empty; whether the server keeps
 * them depends on how they came. Of others (`emptyDir`, selectors) being there is what they say.
 */
const bareStructs: ReadonlySet<string> = new Set([
  'affinity',
  'capabilities',
  'dnsConfig',
  'lifecycle',
  'nodeAffinity',
  'podAffinity',
  'podAntiAffinity',
  'resources',
  'rollingUpdate',
  'securityContext',
  'strategy',
  'subresources',
  'updateStrategy',
]);

const isBareStruct = (desired: unknown, { shape, path }: Place): boolean =>
  shape?.struct !== undefined &&
  isRecord(desired) &&
  isEmpty(desired) &&
  bareStructs.has(path.slice(path.lastIndexOf('/') + 1));

/** An empty list or map that the server leaves out: it is read as if it were not there. */
const isSilent = (desired: unknown, shape: FieldShape | undefined): boolean =>
  shape?.zeroOmitted === true && isEmpty(desired);

type Walk = { place: Place; differences: Difference[] };
type JsonRecord = Readonly<Record<string, unknown>>;

/** Unions whose other branch the server refuses to keep, although its schema does not say so. */
const unions: ReadonlySet<string> = new Set(['apps.v1.DaemonSetUpdateStrategy', 'apps.v1.StatefulSetUpdateStrategy']);

/** Whether what desired does not name goes with a change: the branches of a union exclude each other. */
function dropsOthers({ shape }: Place, desired: JsonRecord, live: JsonRecord): boolean {
  if (shape?.retainKeys === true) return true;
  return unions.has(shape?.struct ?? '') && typeof desired['type'] === 'string' && desired['type'] !== live['type'];
}

function predictRecord(said: JsonRecord, live: JsonRecord, { place, differences }: Walk): JsonRecord {
  const before = differences.length;
  const desired = withTwins(said, place.shape);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(live)) {
    const value = predict(desired[key], live[key], { place: below(place, key, live), differences });
    if (value !== undefined) result[key] = value;
  }
  for (const key of Object.keys(desired)) {
    if (key in live) continue;
    const value = predict(desired[key], undefined, { place: below(place, key, live), differences });
    if (value !== undefined) result[key] = value;
  }
  if (differences.length > before && dropsOthers(place, desired, live))
    for (const key of Object.keys(live)) {
      if (key in desired || !(key in result)) continue;
      differences.push({ path: `${place.path}/${escape(key)}`, kind: 'unwanted' });
      Reflect.deleteProperty(result, key);
    }
  return result;
}

/** Takes back what is ours below a value that desired does not name. */
function withdraw(live: unknown, place: Place, differences: Difference[]): unknown {
  const { owned, path, shape } = place;
  if (owned === undefined) return live;
  if (isDefault(live, place) || isBareStruct(live, place)) return live;
  if (owned === everything && isWrittenZero(live, place)) return live;
  const inParts = (Array.isArray(live) && isMerged(shape)) || (isRecord(live) && shape?.map !== undefined);
  // An empty map or list that was said once claims nothing of what others put into it.
  if (owned.has(presenceStep) && (inParts || Array.isArray(live)) && !isEmpty(live)) return live;
  if (owned.size > 0 && inParts && !isEmpty(live)) return withdrawParts(live, place, differences);
  if (owned.size > 0 && !Array.isArray(live) && !isRecord(live)) return live;
  // A struct goes whole: what is left of it would be the server's defaults, a probe of no port.
  differences.push({ path, kind: 'unwanted' });
  return undefined;
}

const isMerged = (shape: FieldShape | undefined): boolean => shape?.list === 'map' || shape?.list === 'set';

/** Of a map only our keys go, and of a merged list only our elements; nothing is left when nothing of others was in it. */
function withdrawParts(live: unknown, place: Place, differences: Difference[]): unknown {
  const { owned, path, shape } = place;
  const before = differences.length;
  if (Array.isArray(live)) {
    const kept = live.filter((entry, index) => {
      const step = shape?.list === 'map' ? stepOf(entry, shape) : valueStep(entry);
      if (step === undefined || owned?.has(step) !== true) return true;
      differences.push({ path: `${path}/${index}`, kind: 'unwanted' });
      return false;
    });
    return kept.length === 0 && differences.length > before ? undefined : kept;
  }
  if (!isRecord(live)) return live;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(live)) {
    const left = withdraw(value, below(place, key, live), differences);
    if (left !== undefined) result[key] = left;
  }
  return Object.keys(result).length === 0 && differences.length > before ? undefined : result;
}

const isDefault = (live: unknown, { field }: Place): boolean => field !== undefined && isServerDefault(live, field);

/** Zero in a field that is left out when it is zero is silence, and is filled in like it. */
const isFilledIn = (desired: unknown, live: unknown, place: Place): boolean =>
  (saysNothing(desired, place.shape) ||
    (isZero(desired) && place.field !== undefined && isFilledWhenZero(place.field))) &&
  isDefault(live, place);

/** What the server writes for a field of a struct that has no value. */
const isWrittenZero = (live: unknown, { shape }: Place): boolean => shape?.zeroWritten === true && isZero(live);

const isZero = (value: unknown): boolean =>
  value === null || value === '' || value === 0 || value === false || isEmpty(value);

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;

const stepOf = (entry: unknown, shape: FieldShape): string | undefined => {
  const key = elementKey(entry, shape);
  return key === undefined ? undefined : elementStep(key);
};

function predictList(desired: readonly unknown[], live: readonly unknown[], walk: Walk): readonly unknown[] {
  const { shape } = walk.place;
  if (shape?.list === 'set') return predictSet(desired, live, walk);
  if (shape?.list === 'map') {
    const steps = desired.map((entry) => stepOf(entry, shape));
    // Without a key, or with one twice (which old objects may have), only the whole can be compared.
    const distinct = !steps.includes(undefined) && new Set(steps).size === steps.length;
    const liveSteps = live.map((entry) => stepOf(entry, shape));
    if (distinct && new Set(liveSteps).size === liveSteps.length)
      return predictMapList({ entries: desired, steps }, { entries: live, steps: liveSteps }, walk);
  }
  if (desired.length !== live.length) {
    walk.differences.push({ path: walk.place.path, kind: 'different' });
    return desired.map(withoutNulls);
  }
  const { owned } = walk.place;
  // A list that is replaced whole is ours whole: what desired does not name is a default, or goes. Of custom kinds the defaults
  // are not known, so there only what was ours goes.
  const whole = shape === undefined ? undefined : everything;
  return desired.map((entry, index) => {
    const place = element(walk.place, index, whole ?? owned?.get(indexStep(index)));
    return predict(entry, live[index], { place, differences: walk.differences });
  });
}

function predictSet(
  desired: readonly unknown[],
  live: readonly unknown[],
  { place, differences }: Walk,
): readonly unknown[] {
  const result = live.filter((entry, index) => {
    if (desired.some((other) => equalJson(other, entry)) || place.owned?.has(valueStep(entry)) !== true) return true;
    differences.push({ path: `${place.path}/${index}`, kind: 'unwanted' });
    return false;
  });
  const missing = desired.filter((entry) => !live.some((other) => equalJson(other, entry)));
  if (missing.length > 0) differences.push({ path: place.path, kind: 'missing' });
  return [...result, ...missing];
}

type Keyed = Readonly<{ entries: readonly unknown[]; steps: readonly (string | undefined)[] }>;

function predictMapList(desired: Keyed, live: Keyed, { place, differences }: Walk): readonly unknown[] {
  const common = live.steps.filter((step) => desired.steps.includes(step));
  const inOrder = desired.steps
    .filter((step) => live.steps.includes(step))
    .every((step, index) => step === common[index]);
  // The order counts: variables refer to earlier ones, init containers run in turn.
  if (!inOrder) differences.push({ path: place.path, kind: 'different' });

  const merged = desired.entries.map((entry, index) => {
    const step = desired.steps[index] ?? '';
    const at = live.steps.indexOf(step);
    return predict(entry, live.entries[at], {
      place: element(place, at < 0 ? index : at, place.owned?.get(step)),
      differences,
    });
  });

  // What others added stays behind the element that it stood behind.
  const result: { step: string | undefined; entry: unknown }[] = merged.map((entry, index) => ({
    step: desired.steps[index],
    entry,
  }));
  live.entries.forEach((entry, index) => {
    const step = live.steps[index];
    if (desired.steps.includes(step)) return;
    if (step !== undefined && place.owned?.has(step) === true) {
      differences.push({ path: `${place.path}/${index}`, kind: 'unwanted' });
      return;
    }
    const previous = live.steps.slice(0, index).findLast((one) => result.some((placed) => placed.step === one));
    const after = previous === undefined ? -1 : result.findIndex((placed) => placed.step === previous);
    result.splice(after + 1, 0, { step, entry });
  });
  return result.map(({ entry }) => entry);
}
