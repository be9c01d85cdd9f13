import { CodedError, messageOf, parseYaml } from '@tiphys/api';
import { patchApplication } from '@tiphys/operations';
import { choice, defineCommand, option, positional } from '../../define-command.ts';
import { formatValue, withoutManagedFields } from '../../output/object.ts';
import { applicationRef } from './application-text.ts';

/** @throws CodedError cli/usage */
export function patchBody(text: string | undefined): unknown {
  if (text === undefined) throw new CodedError('cli/usage', '--patch is missing');
  try {
    return parseYaml(text, '--patch');
  } catch (error) {
    throw new CodedError('cli/usage', messageOf(error), { cause: error });
  }
}

export const appPatch = defineCommand({
  summary: 'Patch an application',
  examples: [
    `app patch shop --patch '[{"op":"replace","path":"/spec/source/path","value":"new"}]'`,
    `app patch shop --type merge --patch '{"spec":{"source":{"targetRevision":"v2"}}}'`,
  ],
  args: {
    application: positional('The application: name or namespace/name'),
    patch: option('The patch, JSON or YAML'),
    type: choice('Kind of patch (default json)', ['json', 'merge']),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, { ports, actor, print, signal }) => {
    const request = { ...applicationRef(args.application, args.appNamespace), signal };
    const body = patchBody(args.patch);
    const patched = await patchApplication(actor, { ...request, type: args.type ?? 'json', body }, await ports());
    print(await formatValue(withoutManagedFields(patched), 'yaml'));
    return 0;
  },
});
