import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringifyYaml } from '@tiphys/api';
import type { Files } from './repository.ts';
import { root, run } from './tools.ts';

export type ServedCharts = AsyncDisposable &
  Readonly<{
    url: string;
    /** Adds versions, or replaces those that are there. */
    publish: (versions: readonly string[], files: Files) => Promise<void>;
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
  const server = createServer((request, response) => {
    readFile(join(served, (request.url ?? '/').replaceAll('..', ''))).then(
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
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
