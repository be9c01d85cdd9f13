import { messageOf } from '@tiphys/api';
import { choice, defineCommand, flag } from '../define-command.ts';
import { formatValue } from '../output/object.ts';

export const version = defineCommand({
  summary: 'Print versions',
  examples: ['version', 'version --client', 'version -o json'],
  args: {
    client: flag('Only that of this program'),
    short: flag('Only the numbers'),
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml', 'short'], { short: 'o' }),
  },
  run: async (args, { io, ports, print, notice, signal }) => {
    const { program, version: own } = io.settings;
    const client = {
      Version: `v${own.version}${own.commit === undefined ? '' : `+${own.commit.slice(0, 7)}`}`,
      ...(own.buildDate !== undefined && { BuildDate: own.buildDate }),
      Runtime: `node ${process.version}`,
      Platform: `${process.platform}/${process.arch}`,
    };
    const server = args.client === true ? undefined : await serverVersion();
    if (args.output === 'json' || args.output === 'yaml') {
      print(await formatValue({ client, ...(server !== undefined && { server }) }, args.output));
      return 0;
    }
    const short = args.short === true || args.output === 'short';
    const details = Object.entries(client)
      .slice(1)
      .map(([name, value]) => `  ${name}: ${value}\n`)
      .join('');
    print(`${program}: ${client.Version}\n${short ? '' : details}`);
    if (server !== undefined) print(`kubernetes: ${server.KubernetesVersion}\n`);
    return 0;

    // Without a cluster the program still has a version: what is missing is told, and is no failure.
    async function serverVersion(): Promise<Readonly<{ KubernetesVersion: string }> | undefined> {
      try {
        const { kube } = await ports();
        return { KubernetesVersion: (await kube.version({ signal, timeoutMs: 5000 })).gitVersion };
      } catch (error) {
        notice(`kubernetes: unknown (${messageOf(error)})`);
        return undefined;
      }
    }
  },
});
