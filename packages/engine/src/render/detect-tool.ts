import { type ApplicationSource, CodedError } from '@tiphys/api';
import type { Tree } from '../git/read/tree.ts';
import type { RenderSettings, SourceType } from './types.ts';

/** Names of a kustomization, the first that exists counts. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

const explicitBlocks = { helm: 'Helm', kustomize: 'Kustomize', directory: 'Directory' } as const;

const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/**
 * Which tool renders a folder (contract 12.1): the one whose block the source has, else the one whose file the folder has.
 * @throws CodedError render/duplicate-tool for two blocks, render/unsupported for plugins
 */
export async function detectTool(
  source: ApplicationSource,
  at: Readonly<{ tree: Tree; folder: string }>,
  settings: Pick<RenderSettings, 'tools'>,
): Promise<SourceType> {
  const explicit = explicitTool(source);
  if (explicit !== undefined) return switchedOn(explicit, settings);
  const has = async (name: string): Promise<boolean> => (await at.tree.find(below(at.folder, name))) !== undefined;
  if (settings.tools.helm && (await has('Chart.yaml'))) return 'Helm';
  for (const name of kustomizationNames) if (settings.tools.kustomize && (await has(name))) return 'Kustomize';
  return 'Directory';
}

const switchedOn = (type: SourceType, { tools }: Pick<RenderSettings, 'tools'>): SourceType =>
  (type === 'Helm' && !tools.helm) || (type === 'Kustomize' && !tools.kustomize) ? 'Directory' : type;

/** The tool whose block a source has; undefined when it has none. */
export function explicitTool(source: ApplicationSource): SourceType | undefined {
  if (source.plugin !== undefined)
    throw new CodedError('render/unsupported', 'source.plugin: config management plugins are not supported yet');
  const blocks = (['helm', 'kustomize', 'directory'] as const).filter((block) => source[block] !== undefined);
  if (blocks.length > 1)
    throw new CodedError('render/duplicate-tool', `source has ${blocks.join(' and ')}: only one tool can render it`);
  const [block] = blocks;
  return block === undefined ? undefined : explicitBlocks[block];
}
