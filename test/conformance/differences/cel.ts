import { listAt, stringAt } from '@tiphys/api';
import { define, definition, definitions, groupOf, type Agreement, type Difference, type Place } from './difference.ts';

/** All of these hold. */
const rules: readonly string[] = [
  'quantity("1Gi").isGreaterThan(quantity("500Mi"))',
  'quantity("1500m").add(quantity("500m")) == quantity("2")',
  'quantity("2").sub(1).asInteger() == 1',
  'quantity("50k").isInteger()',
  'quantity("1.5").asApproximateFloat() == 1.5',
  'ip("10.0.0.1").family() == 4',
  'ip("::1").isLoopback()',
  '!isIP("1.2.3")',
  'string(ip("2001:db8:0:0::1")) == "2001:db8::1"',
  'ip.isCanonical("10.0.0.1")',
  'cidr("10.0.0.0/8").containsIP("10.1.2.3")',
  'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")',
  'cidr("192.168.1.5/24").masked() == cidr("192.168.1.0/24")',
  '!isCIDR("10.0.0.0/33")',
  'url("https://example.com:80/p").getHost() == "example.com:80"',
  'url("https://[::1]:80/").getHostname() == "::1"',
  'url("https://e.com/?k1=a&k2=b&k2=c").getQuery() == {"k1": ["a"], "k2": ["b", "c"]}',
  '!isURL("e.com")',
  'format.dns1123Label().validate("A_").hasValue()',
  '!format.named("nope").hasValue()',
  '!format.uuid().validate("3cbb3f0e-9d5b-4a2c-8a0c-0d8a4b1c2d3e").hasValue()',
  'format.date().validate("2021-13-01").hasValue()',
  'semver("1.2.3").isLessThan(semver("1.10.0"))',
  'semver("v1.0", true).major() == 1',
  'sets.contains([1, 2, 3], [1])',
  'sets.equivalent([1, 2], [2, 1, 1])',
  '[3, 1, 2].sort() == [1, 2, 3]',
  'lists.range(3) == [0, 1, 2]',
  '[1, 1].distinct() == [1]',
  '"a%sb%d".format(["x", 5]) == "axb5"',
  '"%.2f".format([1.5]) == "1.50"',
  '"aXbX".replace("X", "-", 1) == "a-bX"',
  '"a1b2".findAll("[0-9]", 1) == ["1"]',
];

/** A definition with one field for each rule, whose values break it. */
async function broken(place: Place, all: readonly string[]): Promise<readonly string[]> {
  const fields = all.map((rule, index) => {
    const validations = [{ rule: `self == "" || !(${rule})` }];
    return [`p${index}`, { type: 'string', maxLength: 5, 'x-kubernetes-validations': validations }] as const;
  });
  const things = await define(place, { schema: { properties: Object.fromEntries(fields) } });
  const spec = Object.fromEntries(fields.map(([name]) => [name, 'x']));
  const body = { apiVersion: `${groupOf(place)}/v1`, kind: 'Thing', metadata: { name: 'a' }, spec };
  const answer = await place.call({ method: 'POST', path: things, body });
  const found = new Set(listAt(answer.body, 'details', 'causes').map((cause) => stringAt(cause, 'field')));
  return all.filter((_, index) => found.has(`spec.p${index}`));
}

export const celAgreements: readonly Agreement[] = [
  { what: 'the functions that Kubernetes adds to CEL', see: (place) => broken(place, rules), both: rules },
];

const pairs = '{"a": 1}.all(k, v, v == 1)';

export const celDifferences: readonly Difference[] = [
  {
    key: 'cel-cost',
    see: async (place) => {
      const list = { type: 'array', items: { type: 'array', items: { type: 'string' } } };
      const rule = 'self.list.all(a, a.all(b, self.list.all(c, c.all(d, d != b))))';
      const schema = { properties: { list }, 'x-kubernetes-validations': [{ rule }] };
      const body = definition(place, { schema });
      return (await place.call({ method: 'POST', path: `${definitions}?dryRun=All`, body })).code;
    },
    real: 422,
    embedded: 201,
  },
  {
    key: 'cel-compilation',
    see: async (place) => {
      const schema = { 'x-kubernetes-validations': [{ rule: 'self.nothing()' }] };
      const body = definition(place, { schema });
      return (await place.call({ method: 'POST', path: `${definitions}?dryRun=All`, body })).code;
    },
    real: 422,
    embedded: 201,
  },
  { key: 'cel-pairs', see: (place) => broken(place, [pairs]), real: [pairs], embedded: [] },
];
