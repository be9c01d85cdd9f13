import { describeKey, messageOf, type ResourceKey } from '@tiphys/api';
import { KubeError, type StatusCause } from '@tiphys/kube';

/** `deployment.apps/web`, as kubectl names an object it wrote. */
const shortName = ({ group, kind, name }: ResourceKey): string =>
  `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;

/** `deployment.apps/web configured`. */
export const writeMessage = (key: ResourceKey, what: string): string => `${shortName(key)} ${what}`;

/** The managers that held fields which an apply took over, with their fields: from the causes of a conflict. */
export function formerOwners(causes: readonly StatusCause[]): string {
  const owners = new Map<string, string[]>();
  for (const { message = '', field = '' } of causes) {
    const owner = /conflict with "([^"]*)"/.exec(message)?.[1] ?? 'another manager';
    owners.set(owner, [...(owners.get(owner) ?? []), field]);
  }
  return [...owners].map(([owner, fields]) => `${fields.join(', ')} from ${owner}`).join('; ');
}

const missingNamespace = /^namespaces "([^"]+)" not found/;

/** Whether the API server says that the namespace of an object is not there. */
export const isMissingNamespace = (error: unknown): boolean =>
  error instanceof KubeError && error.code === 'kube/not-found' && /namespaces "[^"]+" not found/.test(error.message);

/** What a refused write means for whoever wrote the manifest, with the remedy where there is a known one. */
export function refusalText(error: unknown, key: ResourceKey): string {
  if (!(error instanceof KubeError)) return messageOf(error);
  // Which call it was says nothing to whoever wrote the manifest; the server's words name the object.
  const text = messageOf(error).replace(/^(?:GET|POST|PUT|PATCH|DELETE) \S+(?: \S+)?(?: \([a-z]+\))?: /, '');
  if (error.code === 'kube/kind-not-found') {
    // Another version of the kind is served, or its group cannot be asked: no definition is missing.
    if (text.includes('; it')) return `${describeKey(key)}: ${text}`;
    const kind = key.group === '' ? key.kind : `${key.group}/${key.kind}`;
    return `${describeKey(key)}: the cluster does not serve ${kind}; install its CustomResourceDefinition, or put it in the same application`;
  }
  if (isMissingNamespace(error) || missingNamespace.test(text))
    return `${text}; add the sync option CreateNamespace=true, or a Namespace manifest`;
  if (/Too long: (?:may not be more than|must have at most) 262144/.test(text))
    return `${text}; the sync option ServerSideApply=true does without the last-applied annotation`;
  return text;
}
