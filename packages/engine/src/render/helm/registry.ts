import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, CodedError, describeRepository } from '@tiphys/api';
import { type RepositoryAccess, withoutSecrets } from '../../git/read/repository-access.ts';
import { isRefusal } from './refusal.ts';

/** A registry of the OCI distribution protocol, and the path in it below which charts lie. */
export type RegistryAddress = Readonly<{ host: string; path: string }>;

const address = /^(?:oci:\/\/)?((?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?)(?:\/([\w./-]*))?$/i;

/** The registry that a URL names: `oci://host/path`, or the same without a scheme (contract 12.3); undefined for any other URL. */
export function registryAddress(url: string): RegistryAddress | undefined {
  const [, host, path = ''] = address.exec(url.trim().replace(/\/+$/, '')) ?? [];
  return host === undefined || /^[.-]/.test(host) || url.startsWith('/') ? undefined : { host, path };
}

/** Whether charts of a repository are pulled from a registry. @throws CodedError git/url-invalid when its settings contradict its URL */
export function isRegistry({ url, enableOci = false }: RepositoryAccess): boolean {
  if (registryAddress(url) !== undefined) return true;
  if (!enableOci && !url.startsWith('oci://')) return false;
  const why = enableOci
    ? 'with enableOCI the URL of a registry is written without a scheme: host/path'
    : 'not the URL of a registry; write oci://host/path';
  throw new CodedError('git/url-invalid', `${describeRepository(url)}: ${why}`);
}

// The grammar of the distribution specification: nothing in it can be a tag, a digest or a way up.
const repositoryName = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;

/** What `helm pull` is given for a chart. @throws CodedError git/url-invalid for a name that no registry has */
export function chartReference({ url }: RepositoryAccess, chart: string): string {
  const { host = '', path = '' } = registryAddress(url) ?? {};
  const name = path === '' ? chart : `${path}/${chart}`;
  if (repositoryName.test(name)) return `oci://${host}/${name}`;
  throw new CodedError('git/url-invalid', `${describeRepository(url)}: "${name}" is no name in a registry`);
}

/** Docker Hub is asked at one name and known by another. */
const loginNames = (host: string): readonly string[] =>
  /(?:^|\.)docker\.io$/.test(host) ? [host, 'https://index.docker.io/v1/'] : [host];

/** Writes the logins of registries where Helm reads them. Only the run that they are for can. */
export async function writeRegistryLogins(home: string, registries: readonly RepositoryAccess[]): Promise<void> {
  const folder = join(home, 'helm', 'config', 'registry');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const logins = registries.flatMap(({ url, credentials: { username, password } = {} }) => {
    if (password === undefined && username === undefined) return [];
    const auth = Buffer.from(`${username ?? ''}:${password ?? ''}`, 'utf8').toString('base64');
    return loginNames(registryAddress(url)?.host ?? '').map((name) => [name, { auth }] as const);
  });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: Object.fromEntries(logins) }), { mode: 0o600 });
}

type Transport = Readonly<Record<string, string | true>>;

/** What Helm has to be told of the way to a registry besides its login; the values of those that are files are their content. */
const transportOf = ({ caPem, insecure, forceHttp, credentials = {} }: RepositoryAccess): Transport => {
  // With a certificate Helm would go on to use TLS.
  if (forceHttp === true) return { 'plain-http': true };
  return {
    ...(caPem !== undefined && { 'ca-file': caPem }),
    ...(credentials.tlsClientCertData !== undefined && { 'cert-file': credentials.tlsClientCertData }),
    ...(credentials.tlsClientCertKey !== undefined && { 'key-file': credentials.tlsClientCertKey }),
    ...(insecure === true && { 'insecure-skip-tls-verify': true }),
  };
};

/**
 * Options of a run of Helm that talks to registries: how they are reached. The files that they name are written.
 * @throws CodedError render/unsupported when the registries want different ones: Helm takes one of each
 */
export async function registryArguments(
  home: string,
  registries: readonly RepositoryAccess[],
): Promise<readonly string[]> {
  const [first, ...others] = registries;
  if (first === undefined) return [];
  const transport = transportOf(first);
  const odd = others.find((one) => canonicalJson(transportOf(one)) !== canonicalJson(transport));
  if (odd !== undefined)
    throw new CodedError(
      'render/unsupported',
      `the registries ${describeRepository(first.url)} and ${describeRepository(odd.url)} differ in certificates, insecure or insecureOCIForceHttp: one chart cannot depend on both`,
    );
  const folder = join(home, 'helm', 'config', 'registry');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return Promise.all(
    Object.entries(transport).map(async ([option, value]) => {
      if (typeof value === 'boolean') return `--${option}`;
      await writeFile(join(folder, option), value, { mode: 0o600 });
      return `--${option}=${join(folder, option)}`;
    }),
  );
}

const notThere = /not found|could not locate a version|status code 404|\b(?:name|manifest) unknown\b/i;
const unusable = /digest|trailing data|media ?type|descriptor|size exceed|chart\.yaml|gzip|invalid reference/i;

/** Why a registry gave no chart, in words without its secrets. */
export function registryError(repo: RepositoryAccess, message: string): CodedError {
  const text = `${describeRepository(repo.url)}: ${withoutSecrets(message, repo)}`;
  if (isRefusal(message)) return new CodedError('git/authentication', text);
  if (notThere.test(message)) return new CodedError('git/revision-not-found', text);
  if (unusable.test(message)) return new CodedError('render/failed', text);
  return new CodedError('git/unreachable', text);
}

/** The version that was pulled, by the name that Helm gives the archive; undefined when there is none. */
export function versionOfArchive(file: string, chart: string): string | undefined {
  const begin = `${chart.slice(chart.lastIndexOf('/') + 1)}-`;
  return file.startsWith(begin) && file.endsWith('.tgz') ? file.slice(begin.length, -'.tgz'.length) : undefined;
}
