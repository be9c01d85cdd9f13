import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringifyYaml } from '@tiphys/api';
import type { Files } from './repository.ts';
import { root, run } from './tools.ts';

export type ServedCharts = AsyncDisposable &
  Readonly<{
    url: string;
    /** Adds versions, or replaces those that are there. */
    publish: (versions: readonly string[], files: Files) => Promise<void>;
    /** From now on every answer takes so long. */
    slowDown: (delayMs: number) => void;
    /** The most requests under way at once since the last time it was asked. */
    peak: () => number;
  }>;

/** Packs a chart in several versions with the real helm and serves them as a Helm repository on loopback. */
export async function serveCharts(name: string, versions: readonly string[], files: Files): Promise<ServedCharts> {
  const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-charts-'));
  const helm = join(root, '.cache', 'tools', 'helm');
  const served = join(directory, 'served');
  await mkdir(served);
  const publish: ServedCharts['publish'] = async (published, contents) => {
    for (const [path, content] of Object.entries(contents)) {
      const file = join(directory, name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, typeof content === 'string' ? content : stringifyYaml(content));
    }
    for (const version of published)
      await run(helm, ['package', join(directory, name), '--version', version, '--destination', served]);
    await run(helm, ['repo', 'index', served]);
  };
  await publish(versions, files);
  const load = { delayMs: 0, active: 0, peak: 0 };
  const server = createServer((request, response) => {
    load.active += 1;
    load.peak = Math.max(load.peak, load.active);
    response.on('close', () => (load.active -= 1));
    // Whatever folders stand before the file: one server can be many repositories.
    sleep(load.delayMs)
      .then(() => readFile(join(served, basename(request.url ?? '/'))))
      .then(
        (body) => response.end(body),
        () => response.writeHead(404).end(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    publish,
    slowDown: (delayMs) => (load.delayMs = delayMs),
    peak: () => {
      const { peak } = load;
      load.peak = load.active;
      return peak;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A chart of one ConfigMap. */
export const chartFiles = (value: string): Files => ({
  'Chart.yaml': { apiVersion: 'v2', name: 'served', version: '0.0.0' },
  'templates/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: served}\ndata: {value: ${value}}\n`,
});
