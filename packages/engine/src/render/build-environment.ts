import { CodedError } from '@tiphys/api';
import type { RenderRequest, RenderSource } from './types.ts';

/** The documented build environment (contract 12.7). */
export type BuildEnvironment = Readonly<Record<string, string>>;

/** The build environment of one source of a request. */
export function buildEnvironment(request: RenderRequest, { source, commit }: RenderSource): BuildEnvironment {
  return {
    ARGOCD_APP_NAME: request.instance,
    ARGOCD_APP_NAMESPACE: request.destinationNamespace,
    ARGOCD_APP_PROJECT_NAME: request.application.project,
    ARGOCD_APP_REVISION: commit,
    ARGOCD_APP_REVISION_SHORT: commit.slice(0, 7),
    ARGOCD_APP_REVISION_SHORT_8: commit.slice(0, 8),
    ARGOCD_APP_SOURCE_PATH: source.path ?? '',
    ARGOCD_APP_SOURCE_REPO_URL: source.repoURL,
    ARGOCD_APP_SOURCE_TARGET_REVISION: source.targetRevision ?? '',
    KUBE_VERSION: request.kubeVersion,
    KUBE_API_VERSIONS: request.apiVersions.join(','),
  };
}

// What Go's os.Expand takes for a name: `${...}`, a word, or one special character; a dollar before anything else stays.
const variable = /\$(?:\{([^}]*)\}|([A-Za-z_]\w*)|([0-9*#$@!?-]))/g;

const expand = (text: string, valueOf: (name: string) => string): string =>
  text.replace(variable, (...found: readonly (string | undefined)[]) => {
    const name = found[1] ?? found[2] ?? found[3] ?? '';
    return name === '$' ? '$' : valueOf(name);
  });

/** Fills in `$X` and `${X}`; `$$` is a dollar; an unknown variable is empty, as everywhere in Argo CD. */
export const substitute = (text: string, environment: BuildEnvironment): string =>
  expand(text, (name) => environment[name] ?? '');

/**
 * Fills in variables where an unknown one would silently do harm (REPO-07).
 * @throws CodedError render/unknown-variable naming it
 */
export const substituteKnown = (text: string, environment: BuildEnvironment, field: string): string =>
  expand(text, (name) => {
    const value = environment[name];
    if (value !== undefined) return value;
    const known = Object.keys(environment).join(', ');
    throw new CodedError(
      'render/unknown-variable',
      `${field}: "${text}" uses the variable ${name}; known are ${known}`,
    );
  });
