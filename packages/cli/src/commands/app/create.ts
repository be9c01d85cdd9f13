import {
  at,
  cascadeFinalizers,
  CodedError,
  describeFinding,
  isRecord,
  parseApplication,
  parseYamlDocuments,
} from '@tiphys/api';
import { createApplication } from '@tiphys/operations';
import { defineCommand, flag, option, optionalPositional, options } from '../../define-command.ts';
import type { CliIo } from '../../io.ts';
import { readInput } from '../../read-input.ts';
import { applicationRef } from './application-text.ts';
import { mapOf } from './flag-values.ts';
import { givenFlags, specArguments, withFlags } from './spec-flags.ts';

type Manifest = Readonly<Record<string, unknown>>;

async function fromFile(path: string | undefined, io: CliIo): Promise<readonly Manifest[]> {
  if (path === undefined)
    return [
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: {},
        spec: { destination: {}, project: 'default' },
      },
    ];
  const values = parseYamlDocuments(await readInput(path, io), path).filter(isRecord);
  if (values.length === 0) throw new CodedError('api/invalid-object', `${path}: no Kubernetes object`);
  return values;
}

/** The name that was typed, without the namespace that may stand before it. */
function nameOf(value: unknown, typed: string | undefined): string | undefined {
  const inFile = at(value, 'metadata', 'name');
  const given = typed === undefined ? undefined : applicationRef(typed, undefined).name;
  if (typeof inFile === 'string' && given !== undefined && given !== inFile)
    throw new CodedError('cli/usage', `the file names the application "${inFile}", the command line "${given}"`);
  return typeof inFile === 'string' ? inFile : given;
}

type Marks = Readonly<{
  name: string | undefined;
  namespace: string | undefined;
  labels: readonly string[];
  annotations: readonly string[];
  finalizer: boolean;
}>;

function metadataOf(
  before: unknown,
  { name, namespace, labels, annotations, finalizer }: Marks,
): Record<string, unknown> {
  const metadata = isRecord(before) ? before : {};
  const merged = (field: string, more: Readonly<Record<string, string>>): Record<string, unknown> => {
    const stored = metadata[field];
    return Object.keys(more).length === 0 ? {} : { [field]: { ...(isRecord(stored) && stored), ...more } };
  };
  const finalizers = Array.isArray(metadata['finalizers']) ? metadata['finalizers'].map(String) : [];
  return {
    ...metadata,
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...merged('labels', mapOf(labels, 'label')),
    ...merged('annotations', mapOf(annotations, 'annotations')),
    ...(finalizer && {
      finalizers: [...finalizers.filter((one) => one !== cascadeFinalizers.foreground), cascadeFinalizers.foreground],
    }),
  };
}

export const appCreate = defineCommand({
  summary: 'Create an application',
  examples: [
    'app create shop --repo https://git.example.com/shop.git --path k8s --dest-server https://kubernetes.default.svc --dest-namespace shop',
    'app create shop --repo https://charts.example.com --helm-chart shop --revision 1.x --dest-name in-cluster --dest-namespace shop',
    'app create -f application.yaml --upsert',
    'app create -f https://git.example.com/platform/raw/main/shop.yaml',
  ],
  args: {
    application: optionalPositional('Name of the application'),
    file: option('Manifest of the application: a file, a URL, or "-" for standard input', {
      short: 'f',
      value: 'path',
    }),
    upsert: flag('Replace an application that is there with another specification'),
    validate: flag('Check the project too (default true)'),
    label: options('Label, name=value; may be repeated', { short: 'l', value: 'pair' }),
    annotations: options('Annotation, name=value; may be repeated', { value: 'pair' }),
    setFinalizer: flag('Delete the objects together with the application'),
    name: option('The same as the name given first', { hidden: true }),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
    env: option('Ignored: it belongs to a tool that is gone', { hidden: true }),
    ...specArguments,
  },
  run: async (args, { ports, actor, print, notice, io, signal }) => {
    const values = await fromFile(args.file, io);
    const single = values.length === 1;
    const named = args.application ?? args.name;
    const given = await withFileContents(args, io);
    if (!single && (named !== undefined || givenFlags(given).length > 0))
      throw new CodedError(
        'cli/usage',
        `${args.file ?? ''} has ${values.length} objects; a name and settings are for one`,
      );
    for (const value of values) {
      const metadata = metadataOf(value['metadata'], {
        name: nameOf(value, named),
        namespace: named === undefined ? args.appNamespace : applicationRef(named, args.appNamespace).namespace,
        labels: args.label,
        annotations: args.annotations,
        finalizer: args.setFinalizer === true,
      });
      const request = {
        application: { ...value, metadata, spec: changedSpec(value, given) },
        upsert: args.upsert === true,
        check: args.validate === false ? 'schema-only' : 'all',
        signal,
      } as const;
      const { application, outcome, warnings } = await createApplication(actor, request, await ports());
      for (const warning of warnings) notice(`warning: ${describeFinding(warning)}`);
      print(`application '${application.metadata.name ?? ''}' ${outcome}\n`);
    }
    return 0;
  },
});

// Without flags a file is passed on as it is, and so is one with faults: its checks tell what is wrong with it.
function changedSpec(value: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>): unknown {
  if (givenFlags(given).length === 0) return value['spec'];
  const { value: application, problems } = parseApplication(value, { mode: 'read' });
  return problems.some(({ message }) => message.startsWith('expected'))
    ? value['spec']
    : withFlags(application.spec, given);
}

/** Flags that name a file whose content counts. */
export async function withFileContents(
  args: Readonly<Record<string, unknown>>,
  io: CliIo,
): Promise<Readonly<Record<string, unknown>>> {
  const path = args['valuesLiteralFile'];
  return typeof path === 'string' ? { ...args, valuesLiteralFile: await readInput(path, io) } : args;
}
