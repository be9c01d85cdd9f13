import { choice, defineCommand, option } from '../../define-command.ts';
import { changeObjects, objectArguments } from './managed-objects.ts';
import { patchBody } from './patch.ts';

const types = {
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/strategic-merge-patch+json': 'strategic',
} as const;

type MediaType = keyof typeof types;
const mediaTypes: readonly MediaType[] = [
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
];

export const appPatchResource = defineCommand({
  summary: 'Patch live objects of an application',
  description: 'Patch live objects of an application. Automated sync with self-heal takes the change back.',
  examples: [
    `app patch-resource shop --kind Deployment --resource-name web --patch '{"spec":{"replicas":3}}'`,
    `app patch-resource shop --kind ConfigMap --all --patch-type application/json-patch+json --patch '[{"op":"remove","path":"/data/a"}]'`,
  ],
  args: {
    ...objectArguments,
    patch: option('The patch, JSON or YAML'),
    patchType: choice('Kind of patch (default application/merge-patch+json)', mediaTypes),
  },
  run: async (args, context) => {
    const type = types[args.patchType ?? 'application/merge-patch+json'];
    const change = { kind: 'patch', type, body: patchBody(args.patch) } as const;
    await changeObjects(args, { change, done: 'patched' }, context);
    return 0;
  },
});
