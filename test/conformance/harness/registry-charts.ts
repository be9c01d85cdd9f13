import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringifyYaml } from '@tiphys/api';
import { type Registry, type RegistryLogin, startRegistry } from '../../registry/registry.ts';
import type { Files } from './repository.ts';
import { root, run } from './tools.ts';

/** A chart in several versions, put into a registry over TLS by the real helm; the registry goes when it is disposed of. */
export async function serveRegistry(
  chart: Readonly<{ name: string; versions: readonly string[]; files: Files }>,
  login?: RegistryLogin,
): Promise<Registry> {
  const registry = await startRegistry({ tls: true, ...(login !== undefined && { login }) });
  const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-registry-'));
  try {
    const helm = join(root, '.cache', 'tools', 'helm');
    for (const [path, content] of Object.entries(chart.files)) {
      const file = join(directory, chart.name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, typeof content === 'string' ? content : stringifyYaml(content));
    }
    const home = join(directory, 'home');
    await mkdir(join(home, 'registry'), { recursive: true });
    const auth = Buffer.from(`${login?.username ?? ''}:${login?.password ?? ''}`).toString('base64');
    await writeFile(join(home, 'registry', 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    await writeFile(join(home, 'ca.pem'), registry.caPem);
    const env = { HOME: home, HELM_CONFIG_HOME: home, HELM_CACHE_HOME: join(home, 'cache') };
    for (const version of chart.versions) {
      const folder = join(directory, chart.name);
      await run(helm, ['package', folder, '--version', version, '--destination', directory], { env });
      const archive = join(directory, `${chart.name}-${version}.tgz`);
      await run(helm, ['push', archive, `oci://${registry.host}/charts`, `--ca-file=${join(home, 'ca.pem')}`], { env });
    }
    return registry;
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
