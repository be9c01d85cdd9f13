import { applicationSchema } from './application/application.ts';
import { applicationSetSchema } from './application-set/application-set.ts';
import { appProjectSchema } from './project/app-project.ts';
import { fieldTables } from './schema/field-table.ts';
import { structuralSchema } from './schema/openapi.ts';
import type { ObjectNode } from './schema/schema.ts';
import type { KubeObject } from './object.ts';

type PrinterColumn = Readonly<{ name: string; type: 'string' | 'date'; jsonPath: string; priority?: number }>;

/** A kind of the product: how it is called, what it holds, and how it is stored and shown. */
export type OwnKind = Readonly<{
  kind: 'Application' | 'ApplicationSet' | 'AppProject';
  plural: string;
  shortNames: readonly string[];
  schema: Readonly<{ node: ObjectNode }>;
  columns: readonly PrinterColumn[];
  /** Whether status is written through a subresource of its own; for two kinds it is not, and users rely on it (contract 19.2). */
  statusSubresource: boolean;
}>;

/** The kinds that the product defines. */
export const ownKinds: readonly OwnKind[] = [
  {
    kind: 'Application',
    plural: 'applications',
    shortNames: ['app', 'apps'],
    schema: applicationSchema,
    columns: [
      { name: 'Sync Status', type: 'string', jsonPath: '.status.sync.status' },
      { name: 'Health Status', type: 'string', jsonPath: '.status.health.status' },
      { name: 'Revision', type: 'string', jsonPath: '.status.sync.revision', priority: 10 },
      { name: 'Project', type: 'string', jsonPath: '.spec.project', priority: 10 },
    ],
    statusSubresource: false,
  },
  {
    kind: 'ApplicationSet',
    plural: 'applicationsets',
    shortNames: ['appset', 'appsets'],
    schema: applicationSetSchema,
    columns: [],
    statusSubresource: true,
  },
  {
    kind: 'AppProject',
    plural: 'appprojects',
    shortNames: ['appproj', 'appprojs'],
    schema: appProjectSchema,
    columns: [],
    statusSubresource: false,
  },
];

const opaque = new Set(['ApplicationSetTemplateOverride', 'ApplicationSource', 'SourceHydrator']);
const lenient = new Set(['status']);

/** The CustomResourceDefinition of a kind. */
export function customResourceDefinition(own: OwnKind): KubeObject {
  const singular = own.kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${own.plural}.argoproj.io`,
      labels: { 'app.kubernetes.io/name': `${own.plural}.argoproj.io`, 'app.kubernetes.io/part-of': 'argocd' },
    },
    spec: {
      group: 'argoproj.io',
      names: { kind: own.kind, listKind: `${own.kind}List`, plural: own.plural, singular, shortNames: own.shortNames },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          ...(own.statusSubresource && { subresources: { status: {} } }),
          ...(own.columns.length > 0 && { additionalPrinterColumns: own.columns }),
          schema: {
            openAPIV3Schema: {
              ...structuralSchema(own.schema, { opaque, lenient }),
            },
          },
        },
      ],
    },
  };
}

/** The reference page of a kind, in Markdown. */
export const referencePage = (own: OwnKind): string =>
  `# ${own.kind}\n\n\`argoproj.io/v1alpha1\`, \`${own.plural}\`, short ${own.shortNames.map((name) => `\`${name}\``).join(', ')}.\n\n` +
  `${fieldTables(own.schema)}\n`;
