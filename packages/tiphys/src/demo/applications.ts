import { readFile } from 'node:fs/promises';
import { asObject, type KubeObject, parseYamlDocuments } from '@tiphys/api';

/** Stands for the sample repository's URL in `examples/applications`. */
const repositoryPlaceholder = '{{REPO}}';

/** The sample's Applications, on a repository of the visitor's machine. */
export async function sampleApplications(files: readonly string[], repository: string): Promise<KubeObject[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.flatMap((text, index) =>
    parseYamlDocuments(text.replaceAll(repositoryPlaceholder, repository), files[index]).map((document) =>
      asObject(document, files[index]),
    ),
  );
}

/** One Application for the visitor's own manifests. */
export const visitorApplication = (
  source: Readonly<{ repository: string; path: string; revision: string; namespace: string }>,
): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'app', namespace: source.namespace, finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  spec: {
    project: 'default',
    source: { repoURL: source.repository, path: source.path, targetRevision: source.revision },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'app' },
    syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
  },
});
