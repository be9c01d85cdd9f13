import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError, mapLimited } from '@tiphys/api';
import type { HostTrust } from '@tiphys/remote';
import type { Decoder } from '../decode/decoder.ts';
import type { Workspace } from '../plan.ts';
import type { Reads } from '../read-set.ts';
import { missing, resolveChartFiles, type ValueFile } from './value-files.ts';

/**
 * Where the chart is: a folder of a repository, or an archive that is pulled. `scope` stands for the chart repository with its
 * credentials, so that nobody is given what another pulled with theirs.
 */
export type ChartLocation =
  | { kind: 'folder'; reads: Omit<Reads, 'paths'>; folder: string }
  | {
      kind: 'archive';
      file: (signal: AbortSignal) => Promise<string>;
      scope: string;
      name: string;
      version: string;
      /** What it may unpack to. */
      maxBytes: number;
    };

/** The files that a chart is rendered with, in the order they count. */
export type Inputs = Readonly<{
  values: readonly ValueFile[];
  files: readonly Readonly<{ name: string; file: ValueFile }>[];
}>;

/** Where things lie on disk in one run, and the value files that are there. */
export type Layout = Readonly<{
  chart: string;
  cwd: string;
  values: readonly ValueFile[];
  place: (file: ValueFile) => string;
}>;

/** Fetches a value file. @throws CodedError remote/* */
export type Download = (url: string, trust: (url: string) => HostTrust, signal: AbortSignal) => Promise<Buffer>;

/** What is laid out. */
export type LayOutInput = Readonly<{
  chart: ChartLocation;
  inputs: Inputs;
  helm: Readonly<{ ignoreMissingValueFiles?: boolean }>;
  decoder: Pick<Decoder, 'archive'>;
  download: Download;
  trust: (url: string) => HostTrust;
}>;

/** Writes out what a run of Helm needs: the run itself reads files only. @throws CodedError git/*, remote/*, render/value-file-missing, render/too-costly */
export async function layOut(input: LayOutInput, workspace: Workspace, signal: AbortSignal): Promise<Layout> {
  const { chart, inputs } = input;
  const folders = await workspace.materialise();
  const all = [...inputs.values, ...inputs.files.map(({ file }) => file)];
  const used = [
    ...new Set(all.flatMap((file) => (file.kind === 'file' && file.repository > 0 ? [file.repository] : []))),
  ].sort((a, b) => a - b);
  const first = chart.kind === 'folder' ? 1 : 0;
  const root = (repository: number): string => folders[repository === 0 ? 0 : first + used.indexOf(repository)] ?? '';
  const fetched = await fetchAll(all, input, { home: workspace.home, signal });
  const placed = (folder: string) => (file: ValueFile) => {
    if (file.kind === 'url') return fetched.get(file.url) ?? '';
    return file.kind === 'chart' ? join(folder, file.path) : join(root(file.repository), file.path);
  };
  if (chart.kind === 'folder') {
    const folder = join(root(0), chart.folder);
    return { chart: '.', cwd: folder, values: inputs.values, place: placed(folder) };
  }
  const archive = await chart.file(signal);
  const folder = join(workspace.home, 'chart');
  const values = all.some(({ kind }) => kind === 'chart')
    ? await writeChartFiles({ ...input, archive }, folder)
    : inputs.values;
  // The tool sees its own run alone, and what it does with a file there harms no other.
  const own = join(workspace.home, 'chart.tgz');
  await copyFile(archive, own, constants.COPYFILE_FICLONE);
  return { chart: own, cwd: workspace.home, values, place: placed(folder) };
}

/** Each may take long and be large, and whoever names them may not hold up or fill what all renders share. */
const maxUrls = 50;
const fetchesAtOnce = 4;

/** Fetches what is named by URL, each once; where it lies. After the first that fails no other is begun. */
async function fetchAll(
  files: readonly ValueFile[],
  { download, trust }: LayOutInput,
  { home, signal }: Readonly<{ home: string; signal: AbortSignal }>,
): Promise<ReadonlyMap<string, string>> {
  const urls = [...new Set(files.flatMap((file) => (file.kind === 'url' ? [file.url] : [])))];
  if (urls.length > maxUrls)
    throw new CodedError('render/too-costly', `a source may name ${maxUrls} URLs of value files, not ${urls.length}`);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const placed = await mapLimited([...urls.entries()], fetchesAtOnce, async ([index, url]) => {
    either.throwIfAborted();
    const file = join(home, `fetched-${index}`);
    try {
      await writeFile(file, await download(url, trust, either));
    } catch (error) {
      failed.abort(error);
      throw error;
    }
    return [url, file] as const;
  });
  return new Map(placed);
}

/**
 * Writes files of an archive out, the ones that are asked for and nothing else: no link in it leads anywhere. Helm itself reads the
 * archive, not this.
 */
async function writeChartFiles(
  { archive, inputs, helm, decoder }: LayOutInput & Readonly<{ archive: string }>,
  folder: string,
): Promise<readonly ValueFile[]> {
  const text = { name: 'the chart archive', content: await readFile(archive) };
  const { names } = await decoder.archive(text, []);
  const ignoreMissing = helm.ignoreMissingValueFiles ?? false;
  const values = resolveChartFiles(inputs.values, { names, ignoreMissing });
  const wanted = [...values, ...inputs.files.map(({ file }) => file)].filter((file) => file.kind === 'chart');
  const { texts } = await decoder.archive(text, [...new Set(wanted.map(({ path }) => path))]);
  for (const { path, field } of wanted) {
    const content = texts[path];
    if (content === undefined) throw missing(field, path, 'does not exist');
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return values;
}
