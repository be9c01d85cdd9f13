import { type ApplicationSource, CodedError, type ErrorCode, isCoded, type KubeObject, messageOf } from '@tiphys/api';
import type { RepositoryAccess } from '../git/read/repository-access.ts';

/** One source, resolved. `commit` is a full SHA, or the version of a chart. */
export type RenderSource = Readonly<{ source: ApplicationSource; repo: RepositoryAccess; commit: string }>;

/** What `argocd-cm` says about Kustomize (contract 12.4). */
export type KustomizeSettings = Readonly<{
  /** `kustomize.buildOptions`, in words. */
  buildOptions: readonly string[];
  /** `kustomize.buildOptions.<version>`: for that version in place of the others. */
  buildOptionsOf: Readonly<Record<string, readonly string[]>>;
  /** `kustomize.path.<version>`: absolute paths of programs. */
  paths: Readonly<Record<string, string>>;
}>;

/** What `argocd-cm` and `argocd-cmd-params-cm` say about rendering. */
export type RenderSettings = Readonly<{
  kustomize: KustomizeSettings;
  /** `helm.valuesFileSchemes`. */
  helmValuesFileSchemes: readonly string[];
  /**
   * `helm.enable`, `kustomize.enable` and `jsonnet.enable`: a tool that is off leaves a folder to the plain manifests, of which Jsonnet
   * is none then.
   */
  tools: Readonly<{ helm: boolean; kustomize: boolean; jsonnet: boolean }>;
  /** `reposerver.include.hidden.directories`. */
  includeHiddenDirectories: boolean;
  /** Plain manifests of one folder together (`reposerver.max.combined.directory.manifests.size`). */
  maxDirectoryBytes: number;
  /** What the archive of a chart may unpack to (`reposerver.helm.manifest.max.extracted.size`). */
  maxUnpackedChartBytes: number;
}>;

export const renderDefaults: RenderSettings = {
  kustomize: { buildOptions: [], buildOptionsOf: {}, paths: {} },
  helmValuesFileSchemes: ['http', 'https'],
  tools: { helm: true, kustomize: true, jsonnet: true },
  includeHiddenDirectories: false,
  maxDirectoryBytes: 10_000_000,
  maxUnpackedChartBytes: 1_000_000_000,
};

/** What is to be rendered, and for which cluster. */
export type RenderRequest = Readonly<{
  application: Readonly<{ name: string; namespace: string; project: string }>;
  /** How the application is called in its installation: its name, `<namespace>_<name>` outside the control-plane namespace. */
  instance: string;
  sources: readonly RenderSource[];
  destinationNamespace: string;
  /** Of the destination: `1.35` or `v1.35.2`. */
  kubeVersion: string;
  /** Of the destination: `v1`, `apps/v1`, `apps/v1/Deployment`. */
  apiVersions: readonly string[];
  /** How a chart repository that a chart depends on is reached; default: without credentials. */
  access?: (url: string) => RepositoryAccess;
  settings: RenderSettings;
  /** A hard refresh: nothing that is remembered is used, and what is remote is fetched again. */
  anew?: boolean | undefined;
}>;

export type SourceType = 'Helm' | 'Kustomize' | 'Directory';

/** Something that a render noticed and that is no error. `repeated`: RepeatedResourceWarning. */
export type RenderWarning = Readonly<{ kind: 'repeated' | 'ignored-file'; message: string }>;

/** What a render read of one repository: files and folders from the root; '' is the whole tree. */
export type ReadSet = Readonly<{ repository: string; paths: readonly string[] }>;

/**
 * What was rendered. The objects are shared with whoever asked for the same: they are never changed in place. They are as the tool
 * printed them: a namespace that is missing stays missing, because only the cluster knows which kinds have one.
 */
export type Rendered = Readonly<{
  objects: readonly KubeObject[];
  /** One per source. A source that only lends files to others (`ref` without a path) counts as Directory. */
  sourceTypes: readonly SourceType[];
  warnings: readonly RenderWarning[];
  /** Of everything that the render could see. */
  key: string;
  /** Of the objects. */
  digest: string;
  /** No tool ran for this. */
  cached: boolean;
  /** It hangs on files of the repositories alone, and stays right as long as they do: no values from a URL, no ranges of charts. */
  lasting: boolean;
  readSet: readonly ReadSet[];
}>;

/** A render that failed, with what it read: a change to any of it is a reason to try again. */
export class RenderError extends CodedError {
  readonly readSet: readonly ReadSet[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions & { readSet: readonly ReadSet[] }) {
    super(code, message, options);
    this.name = 'RenderError';
    this.readSet = options.readSet;
  }

  /** Anything thrown while rendering, with what was read until then. */
  static from(thrown: unknown, readSet: readonly ReadSet[]): RenderError {
    if (thrown instanceof RenderError) return thrown;
    const code = isCoded(thrown) ? thrown.code : 'render/failed';
    return new RenderError(code, messageOf(thrown), { cause: thrown, readSet });
  }
}
