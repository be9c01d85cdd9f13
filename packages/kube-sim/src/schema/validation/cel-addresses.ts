import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';

/* Addresses, ranges of them, and URLs in CEL. */

const familyOf = (text: string): 'ipv4' | 'ipv6' => (isIPv4(text) ? 'ipv4' : 'ipv6');

/** An address; its text is the short form. */
class Address {
  readonly text: string;
  constructor(text: string) {
    // Kubernetes takes neither zones nor IPv4 addresses in the clothes of IPv6.
    if (isIP(text) === 0 || text.includes('%') || /^::ffff:.*\./i.test(text))
      throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
    this.text = isIPv4(text) ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
  }
  static isOne(text: string): boolean {
    try {
      return new Address(text).text !== '';
    } catch {
      return false;
    }
  }
  isIn(...blocks: readonly string[]): boolean {
    return blocks.some((block) => new Block(block).contains(this));
  }
}

function maskedIPv6(text: string, prefix: number): string {
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail)];
  const kept = all.map((group, index) => {
    const bits = Math.max(0, Math.min(16, prefix - index * 16));
    return (Number.parseInt(group, 16) & ((0xffff << (16 - bits)) & 0xffff)).toString(16);
  });
  return kept.join(':');
}

/** What `ip.isCanonical(...)` is asked of. */
class Addresses {
  readonly name = 'ip';
}

/** A range of addresses. */
class Block {
  readonly address: Address;
  readonly prefix: number;
  constructor(text: string) {
    const [address = '', prefix = '', more] = text.split('/');
    const bits = isIPv4(address) ? 32 : 128;
    if (more !== undefined || !/^(?:0|[1-9]\d*)$/.test(prefix) || Number(prefix) > bits || !Address.isOne(address))
      throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`);
    this.address = new Address(address);
    this.prefix = Number(prefix);
  }
  static isOne(text: string): boolean {
    try {
      return new Block(text).prefix >= 0;
    } catch {
      return false;
    }
  }
  contains(address: Address): boolean {
    const family = familyOf(this.address.text);
    if (familyOf(address.text) !== family) return false;
    const list = new BlockList();
    list.addSubnet(this.address.text, this.prefix, family);
    return list.check(address.text, family);
  }
  /** The block under the first address that it has. */
  masked(): Block {
    if (!isIPv4(this.address.text)) return new Block(`${maskedIPv6(this.address.text, this.prefix)}/${this.prefix}`);
    const number = this.address.text.split('.').reduce((all, part) => all * 256 + Number(part), 0);
    const size = 2 ** (32 - this.prefix);
    const first = Math.floor(number / size) * size;
    const text = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
    return new Block(`${text}/${this.prefix}`);
  }
  containsBlock(other: Block): boolean {
    return other.prefix >= this.prefix && this.contains(other.address);
  }
}

const multicast = ['224.0.0.0/24', 'ff02::/16'];
const linkLocal = ['169.254.0.0/16', 'fe80::/10'];
const loopback = ['127.0.0.0/8', '::1/128'];
const unspecified = ['0.0.0.0/32', '::/128'];
const allMulticast = ['224.0.0.0/4', 'ff00::/8', '255.255.255.255/32'];

export const registerAddresses = (environment: Environment): Environment =>
  environment
    .registerType('kubernetes.IP', { ctor: Address, fields: {} })
    .registerType('kubernetes.CIDR', { ctor: Block, fields: {} })
    .registerFunction('ip(string): kubernetes.IP', (text: string) => new Address(text))
    .registerFunction('isIP(string): bool', (text: string) => Address.isOne(text))
    .registerFunction('string(kubernetes.IP): string', (ip: Address) => ip.text)
    .registerFunction('kubernetes.IP.family(): int', (ip: Address) => (isIPv4(ip.text) ? 4n : 6n))
    .registerFunction('kubernetes.IP.isUnspecified(): bool', (ip: Address) => ip.isIn(...unspecified))
    .registerFunction('kubernetes.IP.isLoopback(): bool', (ip: Address) => ip.isIn(...loopback))
    .registerFunction('kubernetes.IP.isLinkLocalMulticast(): bool', (ip: Address) => ip.isIn(...multicast))
    .registerFunction('kubernetes.IP.isLinkLocalUnicast(): bool', (ip: Address) => ip.isIn(...linkLocal))
    .registerFunction(
      'kubernetes.IP.isGlobalUnicast(): bool',
      (ip: Address) => !ip.isIn(...unspecified, ...loopback, ...allMulticast, ...linkLocal),
    )
    .registerOperator('kubernetes.IP == kubernetes.IP', (a: Address, b: Address) => a.text === b.text)
    .registerFunction('cidr(string): kubernetes.CIDR', (text: string) => new Block(text))
    .registerFunction('isCIDR(string): bool', (text: string) => Block.isOne(text))
    .registerFunction('kubernetes.CIDR.containsIP(kubernetes.IP): bool', (a: Block, b: Address) => a.contains(b))
    .registerFunction('kubernetes.CIDR.containsIP(string): bool', (a: Block, b: string) => a.contains(new Address(b)))
    .registerFunction('kubernetes.CIDR.containsCIDR(kubernetes.CIDR): bool', (a: Block, b: Block) => a.containsBlock(b))
    .registerFunction('kubernetes.CIDR.containsCIDR(string): bool', (a: Block, b: string) =>
      a.containsBlock(new Block(b)),
    )
    .registerFunction('kubernetes.CIDR.ip(): kubernetes.IP', (a: Block) => a.address)
    .registerFunction('kubernetes.CIDR.masked(): kubernetes.CIDR', (a: Block) => a.masked())
    .registerOperator(
      'kubernetes.CIDR == kubernetes.CIDR',
      (a: Block, b: Block) => a.address.text === b.address.text && a.prefix === b.prefix,
    )
    .registerType('kubernetes.Addresses', { ctor: Addresses, fields: {} })
    .registerConstant('ip', 'kubernetes.Addresses', new Addresses())
    .registerFunction(
      'kubernetes.Addresses.isCanonical(string): bool',
      (_addresses: Addresses, text: string) => new Address(text).text === text,
    )
    .registerFunction('kubernetes.CIDR.prefixLength(): int', (a: Block) => BigInt(a.prefix));

/** An absolute URL or an absolute path. */
class Link {
  readonly url: URL;
  readonly scheme: string;
  constructor(text: string) {
    const isPath = text.startsWith('/');
    if (!isPath && !URL.canParse(text)) throw new Error(`URL parse error during conversion from string: ${text}`);
    this.url = new URL(text, 'http://none');
    this.scheme = isPath ? '' : this.url.protocol.slice(0, -1);
  }
  get host(): string {
    return this.scheme === '' ? '' : this.url.host;
  }
}

/** Whether a text is an absolute URL or an absolute path. */
export const isLink = (text: string): boolean => text.startsWith('/') || URL.canParse(text);

function queryOf({ url }: Link): Map<string, string[]> {
  const query = new Map<string, string[]>();
  for (const key of url.searchParams.keys()) query.set(key, url.searchParams.getAll(key));
  return query;
}

export const registerLinks = (environment: Environment): Environment =>
  environment
    .registerType('kubernetes.URL', { ctor: Link, fields: {} })
    .registerFunction('url(string): kubernetes.URL', (text: string) => new Link(text))
    .registerFunction('isURL(string): bool', isLink)
    .registerFunction('kubernetes.URL.getScheme(): string', (link: Link) => link.scheme)
    .registerFunction('kubernetes.URL.getHost(): string', (link: Link) => link.host)
    .registerFunction('kubernetes.URL.getHostname(): string', (link: Link) =>
      link.scheme === '' ? '' : link.url.hostname.replace(/^\[|\]$/g, ''),
    )
    .registerFunction('kubernetes.URL.getPort(): string', (link: Link) => link.url.port)
    .registerFunction('kubernetes.URL.getEscapedPath(): string', (link: Link) => link.url.pathname)
    .registerFunction('kubernetes.URL.getQuery(): map', queryOf);
