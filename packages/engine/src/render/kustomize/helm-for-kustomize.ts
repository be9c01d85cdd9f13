import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes the helm that kustomize is given. Kustomize 5 wants a Helm that calls itself 3 and asks it with an option that 4 no longer
 * has, although the commands that it uses then (`template`, `pull`) are the same: so the question is answered here.
 */
export async function writeHelmForKustomize(folder: string, helm: string): Promise<string> {
  const file = join(folder, 'helm-for-kustomize');
  const quoted = `'${helm.replaceAll("'", String.raw`'\''`)}'`;
  await writeFile(file, `#!/bin/sh\nif [ "$1" = version ]; then echo v3.0.0; exit 0; fi\nexec ${quoted} "$@"\n`);
  await chmod(file, 0o755);
  return file;
}
