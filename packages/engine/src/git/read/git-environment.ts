import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryAddress } from '@tiphys/api';
import type { GitSettings } from './git-settings.ts';
import type { RepositoryAccess } from './repository-access.ts';

/** What git runs with: an environment of its own, and what has to be tidied up after. */
export type GitEnvironment = Readonly<{ env: Readonly<Record<string, string>>; dispose: () => Promise<void> }>;

const quoteForShell = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const quoteForConfig = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/**
 * Answers git's questions for user and password, from its own environment and only for the host that the credentials are for:
 * a redirect to another host gets nothing.
 */
const askpass = `#!/bin/sh
case "$1" in
  *"://$TIPHYS_GIT_HOST'"* | *"://$TIPHYS_GIT_HOST/"* | *"@$TIPHYS_GIT_HOST'"* | *"@$TIPHYS_GIT_HOST/"*) ;;
  *) exit 1 ;;
esac
case "$1" in
  Username*) printf '%s\\n' "$TIPHYS_GIT_USERNAME" ;;
  *) printf '%s\\n' "$TIPHYS_GIT_PASSWORD" ;;
esac
`;

/** The folder of one repository: its objects, and the files that git is configured with. */
export type StorePaths = Readonly<{ root: string; objects: string; config: string; askpass: string; home: string }>;

export const storePaths = (dataDir: string, scope: string): StorePaths => {
  const root = join(dataDir, scope);
  return {
    root,
    objects: join(root, 'objects.git'),
    config: join(root, 'config'),
    askpass: join(root, 'askpass'),
    home: join(root, 'home'),
  };
};

function configOf(access: RepositoryAccess, address: RepositoryAddress, paths: StorePaths): string {
  const lines = [
    '[core]\n\thooksPath = /dev/null\n\tprotectNTFS = true\n\tprotectHFS = true\n\tsymlinks = false\n\tpackedGitLimit = 256m',
    '[protocol]\n\tallow = never',
    `[protocol "${address.scheme}"]\n\tallow = always`,
    '[transfer]\n\tfsckObjects = true\n\tadvertiseSID = false',
    // Blemishes of old histories that do no harm here; links and paths are checked when files are written.
    '[fetch "fsck"]\n\tzeroPaddedFilemode = ignore\n\tmissingSpaceBeforeDate = ignore\n\tbadTimezone = ignore\n\tmissingEmail = ignore',
    '[fetch]\n\trecurseSubmodules = false\n\twriteCommitGraph = false',
    '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false',
    '[credential]\n\thelper =',
    '[http]\n\tlowSpeedLimit = 1\n\tlowSpeedTime = 60\n\temptyAuth = false',
    '[submodule]\n\trecurse = false',
  ];
  if (access.insecure === true) lines.push('[http]\n\tsslVerify = false');
  if (access.caPem !== undefined) lines.push(`[http]\n\tsslCAInfo = ${quoteForConfig(join(paths.root, 'ca.pem'))}`);
  // The owner of a local repository is often another user; only this one repository is trusted in spite of it.
  for (const directory of address.directory === undefined ? [] : [address.directory, join(address.directory, '.git')])
    lines.push(`[safe]\n\tdirectory = ${quoteForConfig(directory)}`);
  return `${lines.join('\n')}\n`;
}

/** Writes the files that git is configured with. None of them holds a secret. */
export async function writeStoreFiles(
  access: RepositoryAccess,
  address: RepositoryAddress,
  paths: StorePaths,
): Promise<void> {
  await mkdir(paths.home, { recursive: true, mode: 0o700 });
  await writeFile(paths.config, configOf(access, address, paths), { mode: 0o600 });
  await writeFile(paths.askpass, askpass, { mode: 0o700 });
  if (access.caPem !== undefined) await writeFile(join(paths.root, 'ca.pem'), access.caPem, { mode: 0o600 });
  await writeFile(join(paths.root, 'known_hosts'), access.knownHosts ?? '', { mode: 0o600 });
}

const proxyVariables = ({ proxy, noProxy }: RepositoryAccess): Record<string, string> => ({
  ...(proxy !== undefined && proxy !== '' && { http_proxy: proxy, https_proxy: proxy, all_proxy: proxy }),
  ...(noProxy !== undefined && noProxy !== '' && { no_proxy: noProxy }),
});

/** The environment of a git that reads only the local store. */
export const localEnvironment = (settings: GitSettings, paths: StorePaths): Readonly<Record<string, string>> => ({
  PATH: settings.path,
  HOME: paths.home,
  XDG_CONFIG_HOME: paths.home,
  LANG: 'C',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: paths.config,
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ATTR_NOSYSTEM: '1',
});

/** Configuration given by environment: key and value pairs that must not stand in a file or an argument. */
function configVariables(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(pairs.length) };
  for (const [index, [key, value]] of pairs.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}

function sshCommand(access: RepositoryAccess, knownHosts: string, keyFile: string | undefined): string {
  const strict = access.insecureIgnoreHostKey === true ? 'no' : 'yes';
  const known = access.insecureIgnoreHostKey === true ? '/dev/null' : knownHosts;
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=15',
    `StrictHostKeyChecking=${strict}`,
    `UserKnownHostsFile=${known}`,
    'GlobalKnownHostsFile=/dev/null',
    'PermitLocalCommand=no',
    'ClearAllForwardings=yes',
    ...(keyFile === undefined ? [] : ['IdentitiesOnly=yes']),
  ].flatMap((option) => ['-o', option]);
  const identity = keyFile === undefined ? [] : ['-i', keyFile];
  return ['ssh', '-F', '/dev/null', ...options, ...identity].map(quoteForShell).join(' ');
}

/**
 * The environment of a git that talks to the remote. Secrets go through askpass, through variables, and, where a program wants a
 * file, through one that only we can read and that is gone afterwards; never through an argument.
 */
export async function remoteEnvironment(
  settings: GitSettings,
  paths: StorePaths,
  repository: Readonly<{ access: RepositoryAccess; address: RepositoryAddress }>,
): Promise<GitEnvironment> {
  const { access, address } = repository;
  const { credentials = {} } = access;
  const username = credentials.username ?? address.username;
  const password = credentials.password ?? address.password;
  const config: (readonly [string, string])[] = [];
  if (credentials.bearerToken !== undefined)
    config.push([
      `http.${address.scheme}://${address.host}/.extraHeader`,
      `Authorization: Bearer ${credentials.bearerToken}`,
    ]);
  let folder: string | undefined;
  const secretFile = async (name: string, content: string): Promise<string> => {
    folder ??= await mkdtemp(join(paths.root, 'secret-'));
    const file = join(folder, name);
    await writeFile(file, content.endsWith('\n') ? content : `${content}\n`, { mode: 0o600 });
    return file;
  };
  if (credentials.tlsClientCertData !== undefined && credentials.tlsClientCertKey !== undefined) {
    config.push(['http.sslCert', await secretFile('client.crt', credentials.tlsClientCertData)]);
    config.push(['http.sslKey', await secretFile('client.key', credentials.tlsClientCertKey)]);
  }
  const key = credentials.sshPrivateKey;
  const keyFile = key === undefined ? undefined : await secretFile('key', key);
  const env = {
    ...settings.environment,
    ...localEnvironment(settings, paths),
    ...proxyVariables(access),
    ...configVariables(config),
    GIT_ASKPASS: paths.askpass,
    SSH_ASKPASS: paths.askpass,
    GIT_SSH_COMMAND: sshCommand(access, join(paths.root, 'known_hosts'), keyFile),
    TIPHYS_GIT_HOST: address.host,
    // A token alone is a password; servers take any user name with it.
    TIPHYS_GIT_USERNAME: username ?? (password === undefined ? '' : 'git'),
    TIPHYS_GIT_PASSWORD: password ?? '',
  };
  return {
    env,
    dispose: async () => {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
