import type { CommandEntry } from '../define-command.ts';

/** Groups of commands, for help. */
export const groups: Readonly<Record<string, string>> = {
  app: 'Manage applications',
  repo: 'Manage repository connections',
};

/** Every command, one line each. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'app add-source',
    summary: 'Give an application another source',
    load: async () => (await import('./app/add-source.ts')).appAddSource,
  },
  {
    name: 'app confirm-deletion',
    summary: 'Allow deletions that wait for a confirmation',
    load: async () => (await import('./app/confirm-deletion.ts')).appConfirmDeletion,
  },
  {
    name: 'app create',
    summary: 'Create an application',
    load: async () => (await import('./app/create.ts')).appCreate,
  },
  { name: 'app delete', summary: 'Delete applications', load: async () => (await import('./app/delete.ts')).appDelete },
  {
    name: 'app delete-resource',
    summary: 'Delete live objects of an application',
    load: async () => (await import('./app/delete-resource.ts')).appDeleteResource,
  },
  {
    name: 'app diff',
    summary: 'Show what a sync would change',
    load: async () => (await import('./app/diff.ts')).appDiff,
  },
  {
    name: 'app edit',
    summary: 'Edit the specification of an application',
    load: async () => (await import('./app/edit.ts')).appEdit,
  },
  { name: 'app get', summary: 'Show an application', load: async () => (await import('./app/get.ts')).appGet },
  {
    name: 'app get-resource',
    summary: 'Show live objects of an application',
    load: async () => (await import('./app/get-resource.ts')).appGetResource,
  },
  {
    name: 'app history',
    summary: 'List what was deployed',
    load: async () => (await import('./app/history.ts')).appHistory,
  },
  { name: 'app list', summary: 'List applications', load: async () => (await import('./app/list.ts')).appList },
  {
    name: 'app manifests',
    summary: 'Print the manifests of an application',
    load: async () => (await import('./app/manifests.ts')).appManifests,
  },
  { name: 'app patch', summary: 'Patch an application', load: async () => (await import('./app/patch.ts')).appPatch },
  {
    name: 'app patch-resource',
    summary: 'Patch live objects of an application',
    load: async () => (await import('./app/patch-resource.ts')).appPatchResource,
  },
  {
    name: 'app refresh',
    summary: 'Compare an application again',
    load: async () => (await import('./app/refresh.ts')).appRefresh,
  },
  {
    name: 'app remove-source',
    summary: 'Take a source from an application',
    load: async () => (await import('./app/remove-source.ts')).appRemoveSource,
  },
  {
    name: 'app resources',
    summary: 'List the objects of an application',
    load: async () => (await import('./app/resources.ts')).appResources,
  },
  {
    name: 'app rollback',
    summary: 'Go back to what was deployed before',
    load: async () => (await import('./app/rollback.ts')).appRollback,
  },
  {
    name: 'app set',
    summary: 'Change the settings of an application',
    load: async () => (await import('./app/set.ts')).appSet,
  },
  {
    name: 'app sync',
    summary: 'Bring applications to their desired state',
    load: async () => (await import('./app/sync.ts')).appSync,
  },
  {
    name: 'app terminate-op',
    summary: 'End the running operation',
    load: async () => (await import('./app/terminate-op.ts')).appTerminate,
  },
  {
    name: 'app unset',
    summary: 'Take settings of a source away',
    load: async () => (await import('./app/unset.ts')).appUnset,
  },
  {
    name: 'app wait',
    summary: 'Wait until applications are as wanted',
    load: async () => (await import('./app/wait.ts')).appWait,
  },
  {
    name: 'completion',
    summary: 'Print a completion script for a shell',
    load: async () => (await import('./completion.ts')).completion({ commands, groups }),
  },
  { name: 'repo add', summary: 'Register a repository', load: async () => (await import('./repo/add.ts')).repoAdd },
  {
    name: 'repo get',
    summary: 'Show a registered repository',
    load: async () => (await import('./repo/get.ts')).repoGet,
  },
  {
    name: 'repo list',
    summary: 'List registered repositories',
    load: async () => (await import('./repo/list.ts')).repoList,
  },
  { name: 'version', summary: 'Print versions', load: async () => (await import('./version.ts')).version },
];
