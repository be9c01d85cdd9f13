import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const script = String.raw`#!/bin/sh
if [ "$1" = version ]; then echo v3.0.0; exit 0; fi
left=$#
before=
while [ "$left" -gt 0 ]; do
  word=$1
  shift
  option=
  case $before in -f | --values) value=$word ;; *) value= ;; esac
  case $word in --values=*) option=--values= value=${'$'}{word#--values=} ;; esac
  case $value in
    *\"*) echo "the value file $value has a quote in its name" >&2; exit 1 ;;
    *,*) set -- "$@" "$option\"$value\"" ;;
    *) set -- "$@" "$word" ;;
  esac
  before=$word
  left=$((left - 1))
done
exec HELM "$@"
`;

/** A helm, and the programs that it takes to start it. */
export type HelmForKustomize = Readonly<{ command: string; starts: readonly string[] }>;

/**
 * Writes the helm that kustomize is given. Kustomize 5 wants a Helm that calls itself 3 and asks it with an option that 4 no longer
 * has, although the commands that it uses then (`template`, `pull`) are the same: so the question is answered here. And Helm reads
 * value files as a line of CSV: unquoted, what stands behind a comma in a name would be another file, anywhere on the host.
 */
export async function writeHelmForKustomize(folder: string, helm: string): Promise<HelmForKustomize> {
  const file = join(folder, 'helm-for-kustomize');
  const quoted = `'${helm.replaceAll("'", String.raw`'\''`)}'`;
  await writeFile(
    file,
    script.replace('HELM', () => quoted),
  );
  await chmod(file, 0o755);
  return { command: file, starts: [file, '/bin/sh', helm] };
}
