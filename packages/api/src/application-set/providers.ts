import { flag, list, object, optional, required, text } from '../schema/schema.ts';

const secretRef = object('SecretRef', {
  secretName: required(1, text, 'Secret in the namespace of the set.'),
  key: required(2, text, 'Key in the Secret.'),
});

const configMapKeyRef = object('ConfigMapKeyRef', {
  configMapName: required(1, text, 'ConfigMap in the namespace of the set.'),
  key: required(2, text, 'Key in the ConfigMap.'),
});

const basicAuth = object('BasicAuthBitbucketServer', {
  username: required(1, text, 'User.'),
  passwordRef: required(2, secretRef, 'Password.'),
});

const bearerToken = object('BearerTokenBitbucket', { tokenRef: required(1, secretRef, 'Token.') });

const api = 'URL of the API; default: the public service.';
const token = 'Token for the API.';
const allBranches = 'Every branch, not the default one alone.';
const insecure = 'Do not check certificates.';
const caRef = 'Certificate authority of the server.';
const appSecret = 'Secret with a GitHub App.';

const scmGithub = object('SCMProviderGeneratorGithub', {
  organization: required(1, text, 'Organization.'),
  api: optional(2, text, api),
  tokenRef: optional(3, secretRef, token),
  appSecretName: optional(4, text, appSecret),
  allBranches: optional(5, flag, allBranches),
  excludeArchivedRepos: optional(6, flag, 'Leave out archived repositories.'),
});

const scmGitlab = object('SCMProviderGeneratorGitlab', {
  group: required(1, text, 'Group.'),
  includeSubgroups: optional(2, flag, 'Its sub-groups too.'),
  api: optional(3, text, api),
  tokenRef: optional(4, secretRef, token),
  allBranches: optional(5, flag, allBranches),
  insecure: optional(6, flag, insecure),
  includeSharedProjects: optional(7, flag, 'Shared projects too; default true.'),
  topic: optional(8, text, 'Only projects with this topic.'),
  caRef: optional(9, configMapKeyRef, caRef),
  includeArchivedRepos: optional(10, flag, 'Archived repositories too.'),
});

const scmBitbucket = object('SCMProviderGeneratorBitbucket', {
  owner: required(1, text, 'Workspace.'),
  user: required(2, text, 'User.'),
  appPasswordRef: optional(3, secretRef, 'App password.'),
  allBranches: optional(4, flag, allBranches),
});

const scmBitbucketServer = object('SCMProviderGeneratorBitbucketServer', {
  project: required(1, text, 'Project.'),
  api: required(2, text, 'URL of the API.'),
  basicAuth: optional(3, basicAuth, 'User and password.'),
  allBranches: optional(4, flag, allBranches),
  bearerToken: optional(5, bearerToken, token),
  insecure: optional(6, flag, insecure),
  caRef: optional(7, configMapKeyRef, caRef),
});

const scmGitea = object('SCMProviderGeneratorGitea', {
  owner: required(1, text, 'Owner.'),
  api: required(2, text, 'URL of the API.'),
  tokenRef: optional(3, secretRef, token),
  allBranches: optional(4, flag, allBranches),
  insecure: optional(5, flag, insecure),
  excludeArchivedRepos: optional(6, flag, 'Leave out archived repositories.'),
});

const scmAzureDevOps = object('SCMProviderGeneratorAzureDevOps', {
  organization: required(5, text, 'Organization.'),
  api: optional(6, text, api),
  teamProject: required(7, text, 'Team project.'),
  accessTokenRef: required(8, secretRef, token),
  allBranches: optional(9, flag, allBranches),
});

const tagFilter = object('TagFilter', {
  key: required(1, text, 'Tag.'),
  value: optional(2, text, 'Value; absent: any.'),
});

const scmAwsCodeCommit = object('SCMProviderGeneratorAWSCodeCommit', {
  tagFilters: optional(1, list(tagFilter), 'Only repositories with these tags.'),
  role: optional(2, text, 'Role to assume.'),
  region: optional(3, text, 'Region.'),
  allBranches: optional(4, flag, allBranches),
});

const scmFilter = object('SCMProviderGeneratorFilter', {
  repositoryMatch: optional(1, text, 'Regular expression for the repository.'),
  pathsExist: optional(2, list(text), 'Paths that must exist.'),
  pathsDoNotExist: optional(3, list(text), 'Paths that must not exist.'),
  labelMatch: optional(4, text, 'Regular expression for a label.'),
  branchMatch: optional(5, text, 'Regular expression for the branch.'),
});

/** The fields of the scmProvider generator that name a provider or filter. */
export const scmProviderFields = {
  github: optional(1, scmGithub, 'GitHub.'),
  gitlab: optional(2, scmGitlab, 'GitLab.'),
  bitbucket: optional(3, scmBitbucket, 'Bitbucket Cloud.'),
  bitbucketServer: optional(4, scmBitbucketServer, 'Bitbucket Server.'),
  gitea: optional(5, scmGitea, 'Gitea.'),
  azureDevOps: optional(6, scmAzureDevOps, 'Azure DevOps.'),
  filters: optional(7, list(scmFilter), 'Filters; one of them must match as a whole.'),
  cloneProtocol: optional(8, text, '`https` or `ssh`.'),
  awsCodeCommit: optional(12, scmAwsCodeCommit, 'AWS CodeCommit.'),
};

const labels = optional(6, list(text), 'Only with all of these labels.');

const pullGithub = object('PullRequestGeneratorGithub', {
  owner: required(1, text, 'Owner.'),
  repo: required(2, text, 'Repository.'),
  api: optional(3, text, api),
  tokenRef: optional(4, secretRef, token),
  appSecretName: optional(5, text, appSecret),
  labels,
});

const pullGitlab = object('PullRequestGeneratorGitLab', {
  project: required(1, text, 'Project.'),
  api: optional(2, text, api),
  tokenRef: optional(3, secretRef, token),
  labels: optional(4, list(text), 'Only with all of these labels.'),
  pullRequestState: optional(5, text, 'Only in this state, such as `opened`.'),
  insecure: optional(6, flag, insecure),
  caRef: optional(7, configMapKeyRef, caRef),
});

const pullGitea = object('PullRequestGeneratorGitea', {
  owner: required(1, text, 'Owner.'),
  repo: required(2, text, 'Repository.'),
  api: required(3, text, 'URL of the API.'),
  tokenRef: optional(4, secretRef, token),
  insecure: optional(5, flag, insecure),
  labels,
});

const pullBitbucketServer = object('PullRequestGeneratorBitbucketServer', {
  project: required(1, text, 'Project.'),
  repo: required(2, text, 'Repository.'),
  api: required(3, text, 'URL of the API.'),
  basicAuth: optional(4, basicAuth, 'User and password.'),
  bearerToken: optional(5, bearerToken, token),
  insecure: optional(6, flag, insecure),
  caRef: optional(7, configMapKeyRef, caRef),
});

const pullBitbucket = object('PullRequestGeneratorBitbucket', {
  owner: required(1, text, 'Workspace.'),
  repo: required(2, text, 'Repository.'),
  api: optional(3, text, api),
  basicAuth: optional(4, basicAuth, 'User and password.'),
  bearerToken: optional(5, bearerToken, token),
});

const pullAzureDevOps = object('PullRequestGeneratorAzureDevOps', {
  organization: required(1, text, 'Organization.'),
  project: required(2, text, 'Project.'),
  repo: required(3, text, 'Repository.'),
  api: optional(4, text, api),
  tokenRef: optional(5, secretRef, token),
  labels,
});

const pullFilter = object('PullRequestGeneratorFilter', {
  branchMatch: optional(1, text, 'Regular expression for the source branch.'),
  targetBranchMatch: optional(2, text, 'Regular expression for the target branch.'),
  titleMatch: optional(3, text, 'Regular expression for the title.'),
});

/** The fields of the pullRequest generator that name a provider or filter. */
export const pullRequestFields = {
  github: optional(1, pullGithub, 'GitHub.'),
  gitlab: optional(2, pullGitlab, 'GitLab.'),
  gitea: optional(3, pullGitea, 'Gitea.'),
  bitbucketServer: optional(4, pullBitbucketServer, 'Bitbucket Server.'),
  filters: optional(5, list(pullFilter), 'Filters; one of them must match as a whole.'),
  bitbucket: optional(8, pullBitbucket, 'Bitbucket Cloud.'),
  azuredevops: optional(9, pullAzureDevOps, 'Azure DevOps.'),
  continueOnRepoNotFoundError: optional(11, flag, 'A repository that does not exist gives no parameters.'),
};
