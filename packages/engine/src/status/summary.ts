import {
  type ApplicationSummary,
  at,
  groupKindText,
  gvkOf,
  isRecord,
  type KubeObject,
  listAt,
  stringAt,
} from '@tiphys/api';
import { imagesOf } from '../sync/task-result.ts';

const linkPrefix = 'link.argocd.argoproj.io/';
const noDefaultLinks = 'argocd.argoproj.io/ignore-default-links';

/** Only web links: an annotation is anybody's text, and `javascript:` is a link too. */
const isWebLink = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** `title|url`, or the URL alone. */
const annotatedLinks = (object: KubeObject): string[] =>
  Object.entries(object.metadata.annotations ?? {})
    .filter(([key]) => key.startsWith(linkPrefix))
    .map(([, value]) => value)
    .filter((value) => isWebLink(value.split('|').at(-1)?.trim() ?? ''));

const addressesOf = (object: KubeObject): string[] =>
  listAt(object, 'status', 'loadBalancer', 'ingress').flatMap(
    (one) => stringAt(one, 'hostname') ?? stringAt(one, 'ip') ?? [],
  );

function ingressLinks(ingress: KubeObject): string[] {
  const secured = new Set(listAt(ingress, 'spec', 'tls').flatMap((tls) => listAt(tls, 'hosts')));
  const allSecured = listAt(ingress, 'spec', 'tls').some((tls) => listAt(tls, 'hosts').length === 0);
  return listAt(ingress, 'spec', 'rules').flatMap((rule) => {
    const host = stringAt(rule, 'host') ?? '';
    const hosts = host === '' ? addressesOf(ingress) : [host];
    const scheme = allSecured || secured.has(host) ? 'https' : 'http';
    const paths = listAt(rule, 'http', 'paths').map((path) => stringAt(path, 'path') ?? '');
    return hosts.flatMap((one) =>
      (paths.length === 0 ? [''] : paths).map((path) => `${scheme}://${one}${path.replace(/\/?\*?$/, '')}`),
    );
  });
}

function serviceLinks(service: KubeObject): string[] {
  if (at(service, 'spec', 'type') !== 'LoadBalancer') return [];
  const ports = listAt(service, 'spec', 'ports').map((port) => at(port, 'port'));
  const scheme = ports.includes(443) ? 'https' : ports.includes(80) ? 'http' : undefined;
  return scheme === undefined ? [] : addressesOf(service).map((host) => `${scheme}://${host}`);
}

const linksOf: Readonly<Record<string, (object: KubeObject) => string[]>> = {
  'networking.k8s.io/Ingress': ingressLinks,
  'extensions/Ingress': ingressLinks,
  Service: serviceLinks,
};

function externalLinks(object: KubeObject): string[] {
  const own = annotatedLinks(object);
  if (object.metadata.annotations?.[noDefaultLinks] === 'true') return own;
  return [...own, ...(linksOf[groupKindText(gvkOf(object))]?.(object) ?? [])];
}

const isChild = (object: KubeObject): boolean =>
  isRecord(object['spec']) && groupKindText(gvkOf(object)) === 'argoproj.io/Application';

const sortedSet = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

/** `status.summary`: links and images of the live objects, each once and sorted; empty lists are left out. */
export function summaryOf(live: readonly KubeObject[]): ApplicationSummary {
  const externalURLs = sortedSet(live.flatMap(externalLinks));
  const images = sortedSet(live.flatMap(imagesOf));
  return {
    ...(externalURLs.length > 0 && { externalURLs }),
    ...(images.length > 0 && { images }),
    ...(live.some(isChild) && { isAppOfApps: true }),
  };
}
