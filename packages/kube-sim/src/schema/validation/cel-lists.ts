import { Optional, type Environment } from '@marcbachmann/cel-js';

/* Lists and sets in CEL. */

type Comparable = string | number | bigint;
const sorted = (list: readonly Comparable[]): Comparable[] => list.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

function edge(list: readonly Comparable[], at: number): Comparable {
  const found = sorted(list).at(at);
  if (found === undefined) throw new Error('min or max called on an empty list');
  return found;
}

class Sets {
  readonly name = 'sets';
}

class Lists {
  readonly name = 'lists';
}

const optional = (list: readonly unknown[], at: number): Optional =>
  list.length === 0 ? Optional.none() : Optional.of(list.at(at));

const isWithin = (all: readonly unknown[], some: readonly unknown[]): boolean => some.every((one) => all.includes(one));

/** A rule's cost is not counted here, so that a few characters could ask for more memory than there is. */
const maxRange = 1_000_000n;

function rangeTo(end: bigint): bigint[] {
  if (end < 0n || end > maxRange) throw new Error(`lists.range: ${end} is not at least 0 and at most ${maxRange}`);
  return Array.from({ length: Number(end) }, (_, index) => BigInt(index));
}

export const registerLists = (environment: Environment): Environment =>
  environment
    .registerFunction('list.isSorted(): bool', (list: readonly Comparable[]) =>
      sorted(list).every((item, i) => item === list[i]),
    )
    .registerFunction('list.sum(): dyn', (list: readonly (number | bigint)[]) =>
      list.every((item) => typeof item === 'bigint')
        ? list.reduce((total, item) => total + item, 0n)
        : list.reduce<number>((total, item) => total + Number(item), 0),
    )
    .registerFunction('list.min(): dyn', (list: readonly Comparable[]) => edge(list, 0))
    .registerFunction('list.max(): dyn', (list: readonly Comparable[]) => edge(list, -1))
    .registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], item: unknown) => BigInt(list.indexOf(item)))
    .registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(list.lastIndexOf(item)),
    )
    .registerFunction('list.sort(): list', sorted)
    .registerFunction('list.distinct(): list', (list: readonly unknown[]) => [...new Set(list)])
    .registerFunction('list.flatten(): list', (list: readonly unknown[]) => list.flat())
    .registerFunction('list.flatten(int): list', (list: readonly unknown[], depth: bigint) => list.flat(Number(depth)))
    .registerFunction('list.slice(int, int): list', (list: readonly unknown[], from: bigint, to: bigint) =>
      list.slice(Number(from), Number(to)),
    )
    .registerFunction('list.reverse(): list', (list: readonly unknown[]) => list.toReversed())
    .registerFunction('list.first(): optional', (list: readonly unknown[]) => optional(list, 0))
    .registerFunction('list.last(): optional', (list: readonly unknown[]) => optional(list, -1))
    .registerType('kubernetes.Lists', { ctor: Lists, fields: {} })
    .registerConstant('lists', 'kubernetes.Lists', new Lists())
    .registerFunction('kubernetes.Lists.range(int): list', (_lists: Lists, end: bigint) => rangeTo(end))
    .registerType('kubernetes.Sets', { ctor: Sets, fields: {} })
    .registerConstant('sets', 'kubernetes.Sets', new Sets())
    .registerFunction('kubernetes.Sets.contains(list, list): bool', (_sets: Sets, a: unknown[], b: unknown[]) =>
      isWithin(a, b),
    )
    .registerFunction(
      'kubernetes.Sets.equivalent(list, list): bool',
      (_sets: Sets, a: unknown[], b: unknown[]) => isWithin(a, b) && isWithin(b, a),
    )
    .registerFunction('kubernetes.Sets.intersects(list, list): bool', (_sets: Sets, a: unknown[], b: unknown[]) =>
      a.some((one) => b.includes(one)),
    );
