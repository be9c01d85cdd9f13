import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ProgramName } from './programs.ts';

export type PartName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'stand-ins';

/** One process of the control plane: which program, and its arguments. */
export type PartCommand = Readonly<{ program: ProgramName; arguments: readonly string[] }>;

/** Who may ask the API server for what. The two components have the rights that Kubernetes itself gives them. */
const users = {
  admin: { user: 'admin', groups: 'system:masters' },
  restricted: { user: 'restricted', groups: '' },
  controllers: { user: 'system:kube-controller-manager', groups: '' },
  scheduler: { user: 'system:kube-scheduler', groups: '' },
} as const;

export type UserName = keyof typeof users;
export type Credentials = Readonly<{ token: string; kubeconfigPath: string }>;

export type Layout = Readonly<{
  /** Temporary folder, private to this user, that holds everything of one control plane. */
  directory: string;
  server: string;
  caPem: string;
  users: Readonly<Record<UserName, Credentials>>;
  commands: Readonly<Record<PartName, PartCommand>>;
}>;

/** Writes tokens and kubeconfigs beside the certificates in `DIRECTORY/pki`, picks ports, and says how to start each part. */
export async function layOut(directory: string): Promise<Layout> {
  const [etcd, peer, api] = await freePorts(3);
  if (etcd === undefined || peer === undefined || api === undefined) throw new Error('no free ports');
  const server = `https://127.0.0.1:${String(api)}`;
  const caPem = await readFile(join(directory, 'pki', 'ca.crt'), 'utf8');
  const addUser = async (name: UserName): Promise<Credentials> => {
    const credentials = {
      token: randomBytes(24).toString('base64url'),
      kubeconfigPath: join(directory, `${name}.kubeconfig`),
    };
    await writePrivate(credentials.kubeconfigPath, kubeconfig({ name, server, caPem, token: credentials.token }));
    return credentials;
  };
  const given = {
    admin: await addUser('admin'),
    restricted: await addUser('restricted'),
    controllers: await addUser('controllers'),
    scheduler: await addUser('scheduler'),
  };
  const tokenLine = (name: UserName): string =>
    `${given[name].token},${users[name].user},${name},"${users[name].groups}"`;
  await writePrivate(join(directory, 'tokens.csv'), `${userNames.map(tokenLine).join('\n')}\n`);
  const context: CommandContext = { directory, etcd, peer, api, users: given };
  return { directory, server, caPem, users: given, commands: commands(context) };
}

const userNames: readonly UserName[] = ['admin', 'restricted', 'controllers', 'scheduler'];

type CommandContext = Readonly<{
  directory: string;
  etcd: number;
  peer: number;
  api: number;
  users: Readonly<Record<UserName, Credentials>>;
}>;

function commands(context: CommandContext): Record<PartName, PartCommand> {
  const kubernetes = (part: PartName, ...flags: string[]): PartCommand => ({
    program: 'kubernetes',
    arguments: [part, ...flags],
  });
  const { directory, users } = context;
  const pki = (name: string): string => join(directory, 'pki', name);
  const etcdUrl = `http://127.0.0.1:${String(context.etcd)}`;
  const peerUrl = `http://127.0.0.1:${String(context.peer)}`;
  // Clients' default limits (20 requests a second) protect a shared server; here they would only be waiting time.
  const clientLimits = ['--kube-api-qps=500', '--kube-api-burst=1000'];
  return {
    etcd: kubernetes(
      'etcd',
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--unsafe-no-fsync', // nothing here is worth keeping after a power cut
      '--log-level=warn',
    ),
    'kube-apiserver': kubernetes(
      'kube-apiserver',
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none', // endpoints must not name a loopback address
      `--secure-port=${String(context.api)}`,
      `--tls-cert-file=${pki('apiserver.crt')}`,
      `--tls-private-key-file=${pki('apiserver.key')}`,
      `--cert-dir=${join(directory, 'pki')}`,
      `--token-auth-file=${join(directory, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${pki('service-account.pub')}`,
      `--service-account-signing-key-file=${pki('service-account.key')}`,
    ),
    'kube-controller-manager': kubernetes(
      'kube-controller-manager',
      `--kubeconfig=${users.controllers.kubeconfigPath}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${pki('service-account.key')}`,
      `--root-ca-file=${pki('ca.crt')}`,
      `--flex-volume-plugin-dir=${join(directory, 'flex')}`, // it makes the folder, by default outside ours
      ...clientLimits,
    ),
    'kube-scheduler': kubernetes(
      'kube-scheduler',
      `--kubeconfig=${users.scheduler.kubeconfigPath}`,
      '--leader-elect=false',
      '--secure-port=0',
      ...clientLimits,
    ),
    'stand-ins': {
      program: 'stand-ins',
      arguments: [
        `--kubeconfig=${users.admin.kubeconfigPath}`,
        `--config=${join(import.meta.dirname, 'stand-ins', 'stages.yaml')}`,
        '--v=WARN', // by default each write to a pod is a line
      ],
    },
  };
}

type KubeconfigFacts = Readonly<{ name: string; server: string; caPem: string; token: string }>;

const kubeconfig = ({ name, server, caPem, token }: KubeconfigFacts): string => `apiVersion: v1
kind: Config
clusters:
  - name: tiphys-test
    cluster:
      server: ${server}
      certificate-authority-data: ${Buffer.from(caPem).toString('base64')}
users:
  - name: ${name}
    user:
      token: ${token}
contexts:
  - name: tiphys-test
    context:
      cluster: tiphys-test
      user: ${name}
current-context: tiphys-test
`;

const writePrivate = (path: string, text: string): Promise<void> => writeFile(path, text, { mode: 0o600 });

/** Ports that were free a moment ago; all are held until the last is found, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            if (address !== null && typeof address === 'object') resolve(address.port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
