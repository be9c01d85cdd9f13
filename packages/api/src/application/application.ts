import { objectMeta } from '../schema/metadata.ts';
import { choice, type Infer, object, optional, required } from '../schema/schema.ts';
import { operation } from './operation.ts';
import { applicationSpec } from './spec.ts';
import { applicationStatus } from './status.ts';

/** API version of every kind of the product. */
export const applicationApiVersion = 'argoproj.io/v1alpha1';

/** One application: what is desired, what was found, and the operation that was asked for. */
export const applicationSchema = object('Application', {
  apiVersion: required(undefined, choice(applicationApiVersion), 'API version.'),
  kind: required(undefined, choice('Application'), 'Kind.'),
  metadata: required(1, objectMeta, 'Metadata.'),
  spec: required(2, applicationSpec, 'What the application should be.'),
  status: optional(3, applicationStatus, 'What the controller found.'),
  operation: optional(4, operation, 'What the controller is asked to do.'),
});

export type Application = Infer<typeof applicationSchema>;

/** How the API server serves Applications: known beforehand, so that a list of them needs no discovery. */
export const applicationResource = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  singular: 'application',
  namespaced: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['app', 'apps'],
  categories: [],
  subresources: [],
  preferred: true,
} as const;

/** The sources that are in force: `sources` wins over `source`; a hydrated application syncs from its branch (contract 1.1). */
export function sourcesOf(spec: Application['spec']): NonNullable<Application['spec']['sources']> {
  if (spec.sourceHydrator !== undefined) {
    const { drySource, syncSource } = spec.sourceHydrator;
    const repoURL = syncSource.repoURL ?? drySource.repoURL;
    return [{ repoURL, targetRevision: syncSource.targetBranch, path: syncSource.path }];
  }
  if (spec.sources !== undefined && spec.sources.length > 0) return spec.sources;
  return spec.source === undefined ? [] : [spec.source];
}

/** The project of an application; an empty or missing one is `default`. */
export const projectOf = (spec: Application['spec']): string =>
  spec.project === undefined || spec.project === '' ? 'default' : spec.project;

/** Whether the controller may sync by itself: `automated` is there and not switched off. */
export const isAutomated = (spec: Application['spec']): boolean =>
  spec.syncPolicy?.automated !== undefined && spec.syncPolicy.automated.enabled !== false;
