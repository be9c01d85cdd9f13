import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Application,
  canonicalJson,
  CodedError,
  describeFinding,
  parseApplication,
  parseYaml,
  stringifyYaml,
} from '@tiphys/api';
import { setApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { defineCommand } from '../../define-command.ts';
import { applicationArguments, namedApplication } from './named-application.ts';

/** Runs the editor of the environment on a text. @throws CodedError cli/usage, cli/aborted */
async function edited(text: string, { io, signal }: CommandContext): Promise<string> {
  const [command = '', ...args] = io.settings.editor.split(/\s+/);
  const folder = await mkdtemp(join(tmpdir(), 'tiphys-edit-'));
  try {
    const path = join(folder, 'application.yaml');
    await writeFile(path, text, { mode: 0o600 });
    const editor = spawn(command, [...args, path], { stdio: 'inherit', signal });
    const ended = Promise.withResolvers<number | null>();
    editor.once('exit', ended.resolve);
    editor.once('error', ended.reject);
    const code = await ended.promise.catch((error: unknown) => {
      signal.throwIfAborted();
      throw new CodedError('cli/usage', `the editor "${command}" cannot be started; set EDITOR`, { cause: error });
    });
    if (code !== 0) throw new CodedError('cli/aborted', `nothing was changed: the editor ended with ${String(code)}`);
    return await readFile(path, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The specification that somebody wrote. @throws CodedError api/invalid-yaml, api/invalid-object with every fault */
function specOf(text: string, application: Application): Application['spec'] {
  const { value, problems } = parseApplication(
    { ...application, spec: parseYaml(text, 'the edited specification') },
    { mode: 'create' },
  );
  if (problems.length === 0) return value.spec;
  throw new CodedError(
    'api/invalid-object',
    `nothing was changed; the specification is not valid:\n${problems.map((found) => `  ${describeFinding(found)}`).join('\n')}`,
  );
}

export const appEdit = defineCommand({
  summary: 'Edit the specification of an application',
  description:
    'Edit the specification of an application in the editor that KUBE_EDITOR or EDITOR names (vi otherwise).',
  examples: ['app edit shop'],
  args: applicationArguments,
  run: async (args, context) => {
    const { actor, notice, print, signal } = context;
    const { ref, application } = await namedApplication(args, context);
    const spec = specOf(await edited(stringifyYaml(application.spec), context), application);
    if (canonicalJson(spec) === canonicalJson(application.spec)) {
      notice('nothing was changed');
      return 0;
    }
    const before = canonicalJson(application.spec);
    const change = (stored: Application['spec']): Application['spec'] => {
      if (canonicalJson(stored) === before) return spec;
      throw new CodedError('operation/conflict', 'somebody else changed the specification meanwhile; edit it again');
    };
    await setApplication(actor, { ...ref, change, check: 'all', signal }, await context.ports());
    print(`application '${ref.name}' edited\n`);
    return 0;
  },
});
