import { CodedError } from '@tiphys/api';
import { defineCommand, flag } from '../../define-command.ts';
import { changeObjects, objectArguments } from './managed-objects.ts';

export const appDeleteResource = defineCommand({
  summary: 'Delete live objects of an application',
  description:
    'Delete live objects of an application, with what they own. Automated sync with self-heal brings them back.',
  examples: [
    'app delete-resource shop --kind ConfigMap --resource-name settings',
    'app delete-resource shop --kind Job --all --orphan',
  ],
  args: {
    ...objectArguments,
    force: flag('At once, without the time that it has to end'),
    orphan: flag('Leave what they own'),
  },
  run: async (args, context) => {
    if (args.force === true && args.orphan === true)
      throw new CodedError('cli/usage', 'give --force or --orphan, not both');
    const manner = args.orphan === true ? 'without-owned' : args.force === true ? 'at-once' : 'with-owned';
    await changeObjects(args, { change: { kind: 'delete', manner }, done: 'deleted' }, context);
    return 0;
  },
});
