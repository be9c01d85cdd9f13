import { at, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { omit } from '../schema/omit.ts';
import { semanticallyEqual } from '../server/equal.ts';
import { hashOf, templateLabels, templateOf } from './template.ts';
import { controllerReference, type Workbench } from './workbench.ts';

export const revisionLabel = 'controller-revision-hash';

/** The revisions of a StatefulSet's or DaemonSet's template: the present one, and the one before it. */
export type Revisions = Readonly<{ update: string; before: string }>;

const numberOf = (revision: KubeObject): number => numberAt(revision, 'revision') ?? 0;

// The two controllers name the same thing differently on their revisions, though not on their pods.
const hashLabelOf = ({ kind }: KubeObject): string =>
  kind === 'DaemonSet' ? revisionLabel : 'controller.kubernetes.io/hash';

const inherited = ({ metadata }: KubeObject): Record<string, string> =>
  omit({ ...metadata.annotations }, 'kubectl.kubernetes.io/last-applied-configuration');

/** Makes sure that the present template has its ControllerRevision, drops surplus old ones, and names the present and the last. */
export function keepRevisions(owner: KubeObject, bench: Workbench): Revisions {
  const revisions = [...bench.controlled(owner, 'ControllerRevision')].sort((a, b) => numberOf(a) - numberOf(b));
  const template = templateOf(owner);
  const data = { spec: { template: { ...template, $patch: 'replace' } } };
  const hash = hashOf(template);
  const name = `${owner.metadata.name ?? ''}-${hash}`;
  const highest = Math.max(0, ...revisions.map(numberOf));
  const present = revisions.find((revision) => semanticallyEqual(revision['data'], data));
  if (present === undefined)
    bench.create({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name,
        namespace: owner.metadata.namespace ?? '',
        labels: { ...templateLabels(template), [hashLabelOf(owner)]: hash },
        ...(owner.kind === 'DaemonSet' && { annotations: inherited(owner) }),
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: highest + 1,
    });
  else if (numberOf(present) < highest) bench.update({ ...present, revision: highest + 1 });
  const others = revisions.filter((revision) => revision !== present);
  const limit = numberAt(owner, 'spec', 'revisionHistoryLimit') ?? 10;
  for (const surplus of others.slice(0, Math.max(0, others.length - limit))) bench.remove(surplus);
  return { update: present?.metadata.name ?? name, before: others.at(-1)?.metadata.name ?? name };
}

/** The hash part of a revision's name, as pods carry it. */
export const hashPart = (revision: string, owner: KubeObject): string =>
  revision.slice((owner.metadata.name ?? '').length + 1);

/** Claims that a pod of a StatefulSet uses, by template. */
export const claimTemplates = (owner: KubeObject): readonly Readonly<{ name: string; template: unknown }>[] =>
  listAt(owner, 'spec', 'volumeClaimTemplates').map((template) => ({
    name: stringAt(template, 'metadata', 'name') ?? '',
    template: at(template),
  }));
