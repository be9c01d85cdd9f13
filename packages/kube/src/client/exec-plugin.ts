import { spawn } from 'node:child_process';
import { CodedError, isRecord, parseJson, stringAt, stringifyJson } from '@tiphys/api';
import type { ExecCredentials } from './credentials.ts';
import type { TlsIdentity } from './dial.ts';
import type { ClientSettings, ClusterConfig } from './types.ts';

/** What an exec plugin answered. */
export type ExecAnswer = Readonly<{
  token: string | undefined;
  identity: TlsIdentity | undefined;
  /** Milliseconds since the epoch; undefined: good until the server says no. */
  expiresAt: number | undefined;
}>;

const deadlineMs = 30_000;
const maxOutputBytes = 1024 * 1024;

/** What the plugin is told in KUBERNETES_EXEC_INFO (client.authentication.k8s.io ExecCredential). */
function execInfo(exec: ExecCredentials, config: ClusterConfig): string {
  const cluster = {
    server: config.server,
    ...(config.tlsServerName === undefined ? {} : { 'tls-server-name': config.tlsServerName }),
    ...(config.insecure === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(config.ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(config.ca).toString('base64') }),
    ...(config.proxyUrl === undefined ? {} : { 'proxy-url': config.proxyUrl }),
    ...(exec.config === undefined ? {} : { config: exec.config }),
  };
  return stringifyJson({
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec.provideClusterInfo ? { cluster } : {}) },
  });
}

/** Runs a program in a process group of its own; whatever ends it early takes the whole group with it. */
function runGroup(
  exec: ExecCredentials,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string; exit: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let errText = '';
    let size = 0;
    const kill = (why: string): void => {
      // A negative id is the group: helpers that the plugin started die with it.
      if (child.pid !== undefined) {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
      reject(new Error(why));
    };
    const timer = setTimeout(() => kill(`no answer within ${deadlineMs / 1000} s`), deadlineMs);
    const aborted = (): void => kill('aborted');
    signal.addEventListener('abort', aborted, { once: true });
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxOutputBytes) kill(`more than ${maxOutputBytes} bytes of output`);
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (errText.length < 1000) errText += chunk.toString();
    });
    child.once('error', (error) => {
      over();
      reject(error);
    });
    child.once('close', (code, ended) => {
      over();
      resolve({ stdout: Buffer.concat(out).toString(), stderr: errText, exit: ended ?? String(code) });
    });
  });
}

function readAnswer(text: string, exec: ExecCredentials): ExecAnswer {
  const answer = parseJson(text, `output of ${exec.command}`);
  if (!isRecord(answer) || answer['kind'] !== 'ExecCredential') throw new Error('its output is no ExecCredential');
  if (answer['apiVersion'] !== exec.apiVersion)
    throw new Error(`it answered with ${String(answer['apiVersion'])} where ${exec.apiVersion} is configured`);
  const cert = stringAt(answer, 'status', 'clientCertificateData');
  const key = stringAt(answer, 'status', 'clientKeyData');
  const token = stringAt(answer, 'status', 'token');
  if ((cert === undefined) !== (key === undefined))
    throw new Error('it gave a client certificate without its key, or a key alone');
  const identity = cert === undefined || key === undefined ? undefined : { cert, key };
  if (token === undefined && identity === undefined) throw new Error('it gave neither token nor client certificate');
  const expiry = stringAt(answer, 'status', 'expirationTimestamp');
  const expiresAt = expiry === undefined ? NaN : Date.parse(expiry);
  return { token, identity, expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt };
}

/**
 * Asks an exec credential plugin, with a deadline of 30 s and an output limit of 1 MiB.
 * @throws CodedError kube/exec-failed that names the command, never what it printed on standard output
 */
export async function askExecPlugin(
  config: ClusterConfig & { credentials: { kind: 'exec'; exec: ExecCredentials } },
  settings: Pick<ClientSettings, 'execEnvironment' | 'execAllowed'>,
  signal: AbortSignal,
): Promise<ExecAnswer> {
  const { exec } = config.credentials;
  const fail = (why: string, cause?: unknown): CodedError => {
    const hint = exec.installHint === undefined ? '' : `; ${exec.installHint}`;
    return new CodedError('kube/exec-failed', `credential plugin ${exec.command}: ${why}${hint}`, { cause });
  };
  if (settings.execAllowed?.(exec.command) === false) throw fail('this command is not on the list of allowed plugins');
  const env = { ...settings.execEnvironment, ...exec.env, KUBERNETES_EXEC_INFO: execInfo(exec, config) };
  try {
    const { stdout, stderr, exit } = await runGroup(exec, env, signal);
    if (exit !== '0')
      throw new Error(`ended with ${exit}${stderr.trim() === '' ? '' : `: ${stderr.trim().slice(0, 300)}`}`);
    return readAnswer(stdout, exec);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'api/invalid-json') throw fail('its output is no JSON');
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw fail(missing ? 'not found on the PATH' : error instanceof Error ? error.message : String(error), error);
  }
}
