import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Who may be asked at an address: `public`: anybody may be sent there. `internal`: a private network or this machine, where what
 * answers counts on nobody else reaching it. `never`: link-local addresses, where clouds hand out credentials to whoever asks, and
 * those that are no single host.
 */
export type AddressClass = 'public' | 'internal' | 'never';

type Ranges = readonly (readonly [network: string, prefix: number])[];

const neverRanges: Ranges = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['fe80::', 10],
  ['ff00::', 8],
  // Where clouds serve their metadata over IPv6, and that of another one within the shared range.
  ['fd00:ec2::254', 128],
  ['100.100.100.200', 32],
];

const internalRanges: Ranges = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['::1', 128],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fec0::', 10],
];

function listOf(ranges: Ranges): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, isIPv4(network) ? 'ipv4' : 'ipv6');
  return list;
}

const never = listOf(neverRanges);
const internal = listOf(internalRanges);

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const plain = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [front, back] = [read(head), read(tail ?? '')];
  return [...front, ...Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => 0), ...back];
}

const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** The IPv4 address within one of IPv6 that only carries it: mapped, compatible, translated (NAT64), 6to4. */
function carried(address: string): string | undefined {
  const groups = groupsOf(address);
  const [first, second, third] = groups;
  const zero = groups.slice(0, 5).every((group) => group === 0);
  if (zero && (groups[5] === 0xffff || (groups[5] === 0 && (groups[6] ?? 0) > 0))) return dotted(groups[6], groups[7]);
  if (first === 0x64 && second === 0xff9b) return dotted(groups[6], groups[7]);
  return first === 0x2002 ? dotted(second, third) : undefined;
}

/** Where an address leads. What is no address leads nowhere that is allowed. */
export function classOf(address: string): AddressClass {
  const family = isIP(address);
  if (family === 0) return 'never';
  if (family === 6) {
    const inner = carried(address);
    if (inner !== undefined) return classOf(inner);
    if (groupsOf(address).every((group) => group === 0)) return 'never';
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const plain = address.replace(/%.*$/, '');
  if (never.check(plain, type)) return 'never';
  return internal.check(plain, type) ? 'internal' : 'public';
}
