import { BlockList, isIP } from 'node:net';

/** Variables such as `HTTPS_PROXY` and `NO_PROXY`, in either way to write them. */
export type ProxyVariables = Readonly<Record<string, string>>;

const variable = (variables: ProxyVariables, name: string): string =>
  variables[name.toLowerCase()] ?? variables[name.toUpperCase()] ?? '';

function isWithin(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  const family = isIP(base);
  if (family === 0 || family !== isIP(address) || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(base, Number(bits), type);
  return list.check(address, type);
}

/** Whether an entry of `NO_PROXY` (`*`, a host, `.domain`, a network, each with a port or without) is about a host. */
function isAbout(entry: string, { host, port }: Readonly<{ host: string; port: string }>): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isWithin(host, entry);
  const [, name = '', ofPort] = /^(.+?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (ofPort !== undefined && ofPort !== port) return false;
  const plain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return host === plain || (isIP(plain) === 0 && host.endsWith(`.${plain}`));
}

/** The proxy that a URL is to be asked through; undefined without one. */
export function proxyFor(url: URL, variables: ProxyVariables): string | undefined {
  const proxy =
    variable(variables, url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') || variable(variables, 'all_proxy');
  if (!/^https?:\/\//.test(proxy)) return undefined;
  const at = {
    host: url.hostname.replace(/^\[|\]$/g, '').toLowerCase(),
    port: url.port || (url.protocol === 'https:' ? '443' : '80'),
  };
  const exempt = variable(variables, 'no_proxy')
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && isAbout(entry, at));
  return exempt ? undefined : proxy;
}
