import { describeKey, type ResourceKey } from '@tiphys/api';
import { isWorse, verdict, type Health, type HealthStatus } from './health.ts';

/** One managed object as the aggregate sees it. */
export type Assessed = Readonly<{
  key: ResourceKey;
  /** Undefined: no check, so it does not count. */
  health: Health | undefined;
  hook: boolean;
  /** `argocd.argoproj.io/ignore-healthcheck: "true"`. */
  ignored: boolean;
}>;

const isChild = ({ key }: Assessed): boolean => key.group === 'argoproj.io' && key.kind === 'Application';

const worstNamed = 3;

/**
 * The health of an application (contract 5.3): the worst of its objects. Hooks, objects without a check and objects that ask
 * to be left out do not count; a missing object does not worsen it unless all are missing; a child application that is Missing
 * or Unknown is left out. No object at all is Healthy. The message names up to three causes.
 */
export function aggregateHealth(objects: readonly Assessed[]): Health {
  const counted = objects.filter(({ health, hook, ignored }) => health !== undefined && !hook && !ignored);
  const considered = objects.filter(({ hook, ignored }) => !hook && !ignored);
  if (considered.length > 0 && considered.every(({ health }) => health?.status === 'Missing'))
    return verdict('Missing');
  let worst: HealthStatus = 'Healthy';
  let causes: Assessed[] = [];
  for (const one of counted) {
    const status = one.health?.status ?? 'Healthy';
    if (status === 'Missing' || (isChild(one) && status === 'Unknown')) continue;
    if (isWorse(status, worst)) {
      worst = status;
      causes = [];
    }
    if (status === worst && status !== 'Healthy') causes.push(one);
  }
  return causes.length === 0 ? verdict(worst) : verdict(worst, causesText(causes));
}

function causesText(causes: readonly Assessed[]): string {
  const named = causes.slice(0, worstNamed).map(({ key, health }) => {
    const message = health?.message ?? '';
    return message === '' ? describeKey(key) : `${describeKey(key)}: ${message}`;
  });
  const more = causes.length - named.length;
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
