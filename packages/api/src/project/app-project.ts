import { applicationApiVersion } from '../application/application.ts';
import { applicationDestination } from '../application/spec.ts';
import { objectMeta } from '../schema/metadata.ts';
import { choice, flag, type Infer, int64, list, map, object, optional, required, text } from '../schema/schema.ts';

const clusterResourceRestriction = object('ClusterResourceRestrictionItem', {
  group: required(1, text, 'API group, a glob.'),
  kind: required(2, text, 'Kind, a glob.'),
  name: optional(3, text, 'Name, a glob; empty: all.'),
});

const groupKind = object('GroupKind', {
  group: required(1, text, 'API group, a glob.'),
  kind: required(2, text, 'Kind, a glob.'),
});

const jwtToken = object('JWTToken', {
  iat: required(1, int64, 'Issued at, in seconds since 1970.'),
  exp: optional(2, int64, 'Expires at, in seconds since 1970; absent: never.'),
  id: optional(3, text, 'Identity of the token.'),
});

const jwtTokens = object('JWTTokens', { items: optional(1, list(jwtToken), 'The tokens.') });

const projectRole = object('ProjectRole', {
  name: required(1, text, 'Name of the role.'),
  description: optional(2, text, 'What it is for.'),
  policies: optional(3, list(text), 'Policy lines limited to `proj:<project>:<role>`.'),
  jwtTokens: optional(4, list(jwtToken), 'Tokens that were issued.'),
  groups: optional(5, list(text), 'OIDC groups that have the role.'),
});

const orphanedResourceKey = object('OrphanedResourceKey', {
  group: optional(1, text, 'API group.'),
  kind: optional(2, text, 'Kind.'),
  name: optional(3, text, 'Name, a glob.'),
});

const orphanedResources = object('OrphanedResourcesMonitorSettings', {
  warn: optional(1, flag, 'Warn about orphaned objects; default true.'),
  ignore: optional(2, list(orphanedResourceKey), 'Objects that never count.'),
});

const syncWindow = object('SyncWindow', {
  kind: optional(1, choice('allow', 'deny'), 'What the window does.'),
  schedule: optional(2, text, 'Begin, in cron notation.'),
  duration: optional(3, text, 'Length, such as `1h`.'),
  applications: optional(4, list(text), 'Names of applications, globs.'),
  namespaces: optional(5, list(text), 'Destination namespaces, globs.'),
  clusters: optional(6, list(text), 'Destination clusters, globs.'),
  manualSync: optional(7, flag, 'Syncs by hand are allowed all the same.'),
  timeZone: optional(8, text, 'Time zone of the schedule; default UTC.'),
  andOperator: optional(9, flag, 'All of the three lists must match, not one of them.'),
  description: optional(10, text, 'What it is for; at most 255 characters.'),
  syncOverrun: optional(11, flag, 'A sync that began in time may go on after the end.'),
});

const signatureKey = object('SignatureKey', { keyID: required(1, text, 'GnuPG key.') });

const integrityRepository = object('SourceIntegrityGitPolicyRepo', {
  url: optional(1, text, 'Repository URL, a glob; `!` denies.'),
});

const integrityGpg = object('SourceIntegrityGitPolicyGPG', {
  mode: optional(1, choice('none', 'head', 'strict'), 'Which commits must be signed.'),
  keys: optional(3, list(text), 'Keys that are trusted.'),
});

const integrityPolicy = object('SourceIntegrityGitPolicy', {
  repos: optional(1, list(integrityRepository), 'Repositories that the policy is for.'),
  gpg: optional(2, integrityGpg, 'Signatures.'),
});

const integrityGit = object('SourceIntegrityGit', {
  policies: optional(1, list(integrityPolicy), 'Policies; the first that matches counts.'),
});

const sourceIntegrity = object('SourceIntegrity', { git: optional(1, integrityGit, 'Git sources.') });

const destinationServiceAccount = object('ApplicationDestinationServiceAccount', {
  server: optional(1, text, 'API server URL, a glob.'),
  namespace: optional(2, text, 'Namespace, a glob.'),
  defaultServiceAccount: required(3, text, 'Service account, `name` or `namespace:name`.'),
});

const appProjectSpec = object('AppProjectSpec', {
  sourceRepos: optional(1, list(text), 'Repositories that may be used, globs; `!` denies.'),
  destinations: optional(2, list(applicationDestination), 'Clusters and namespaces that may be used, globs.'),
  description: optional(3, text, 'What the project is for.'),
  roles: optional(4, list(projectRole), 'Roles of the project.'),
  clusterResourceWhitelist: optional(5, list(clusterResourceRestriction), 'Cluster-scoped kinds that are allowed.'),
  namespaceResourceBlacklist: optional(6, list(groupKind), 'Namespaced kinds that are not allowed.'),
  orphanedResources: optional(7, orphanedResources, 'Watch for objects that belong to no application.'),
  syncWindows: optional(8, list(syncWindow), 'When syncs may run.'),
  namespaceResourceWhitelist: optional(9, list(groupKind), 'Namespaced kinds that are allowed; absent: all.'),
  signatureKeys: optional(10, list(signatureKey), 'Deprecated: see `sourceIntegrity`.'),
  clusterResourceBlacklist: optional(11, list(clusterResourceRestriction), 'Cluster-scoped kinds that are not.'),
  sourceNamespaces: optional(12, list(text), 'Namespaces from which applications may use the project.'),
  permitOnlyProjectScopedClusters: optional(13, flag, 'Only clusters that belong to the project.'),
  destinationServiceAccounts: optional(14, list(destinationServiceAccount), 'Accounts to act as when syncing.'),
  sourceIntegrity: optional(15, sourceIntegrity, 'Signatures that sources must have.'),
});

const appProjectStatus = object('AppProjectStatus', {
  jwtTokensByRole: optional(1, map(jwtTokens), 'Tokens of each role.'),
});

/** A tenant's limits (contract 7). */
export const appProjectSchema = object('AppProject', {
  apiVersion: required(undefined, choice(applicationApiVersion), 'API version.'),
  kind: required(undefined, choice('AppProject'), 'Kind.'),
  metadata: required(1, objectMeta, 'Metadata.'),
  spec: required(2, appProjectSpec, 'The limits.'),
  status: optional(3, appProjectStatus, 'Tokens that were issued.'),
});

export type AppProject = Infer<typeof appProjectSchema>;
export type AppProjectSpec = Infer<typeof appProjectSpec>;
export type ProjectRole = Infer<typeof projectRole>;
export type SyncWindow = Infer<typeof syncWindow>;
