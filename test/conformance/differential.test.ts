import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson, isRecord, listAt, stringAt } from '@tiphys/api';
import { startKubeSim } from '@tiphys/kube-sim';
import { ControlPlaneError, startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { connect, type Answer, type Call, type Client } from './differential/api.ts';
import { testedKinds } from './differential/kinds/kinds.ts';
import { widgetDefinition } from './differential/kinds/widget.ts';
import { comparable } from './differential/normalize.ts';
import { Random } from './differential/random.ts';
import { objectIn, pathOf, sequenceOf, type Subject } from './differential/sequence.ts';

/** Sequences per run; TIPHYS_DIFFERENTIAL asks for fewer or more, TIPHYS_DIFFERENTIAL_SEED for others. */
const count = Number(process.env['TIPHYS_DIFFERENTIAL'] ?? '500');
const seed = Number(process.env['TIPHYS_DIFFERENTIAL_SEED'] ?? '20');
const only = process.env['TIPHYS_DIFFERENTIAL_KIND'];

const namespace = 'differential';

type Pair = Readonly<{ real: Client; embedded: Client }>;

async function startReal(context: TestContext): Promise<ControlPlane | undefined> {
  try {
    return await startControlPlane();
  } catch (error) {
    if (!(error instanceof ControlPlaneError) || error.code !== 'no-go') throw error;
    context.skip('Go is absent: there is no real control plane to compare with');
    return undefined;
  }
}

/** Nothing but the API server may write: the controllers stand still from here on. */
function stopControllers(plane: ControlPlane): void {
  for (const [part, pid] of plane.processes())
    if (part !== 'etcd' && part !== 'kube-apiserver') process.kill(pid, 'SIGSTOP');
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what}: not in time`);
    await sleep(50);
  }
}

async function prepare(client: Client): Promise<void> {
  const name = { metadata: { name: namespace } };
  await client.call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', ...name },
  });
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await client.call({
    method: 'POST',
    path: account,
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
  await until(
    'service account',
    async () => (await client.call({ method: 'GET', path: `${account}/default` })).code === 200,
  );
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await client.call({ method: 'POST', path, body: widgetDefinition });
  const widgets = `/apis/example.com/v1/namespaces/${namespace}/widgets`;
  await until('custom resource', async () => (await client.call({ method: 'GET', path: widgets })).code === 200);
}

/** The first place where two values differ, for the message. */
function firstDifference(real: unknown, embedded: unknown, path = ''): string {
  if (isRecord(real) && isRecord(embedded))
    for (const key of new Set([...Object.keys(real), ...Object.keys(embedded)]))
      if (canonicalJson(real[key] ?? null) !== canonicalJson(embedded[key] ?? null) || key in real !== key in embedded)
        return firstDifference(real[key], embedded[key], `${path}.${key}`);
  if (Array.isArray(real) && Array.isArray(embedded) && real.length === embedded.length)
    for (const [index, item] of real.entries())
      if (canonicalJson(item) !== canonicalJson(embedded[index]))
        return firstDifference(item, embedded[index], `${path}[${index}]`);
  const text = (value: unknown): string => (value === undefined ? 'absent' : canonicalJson(value));
  return `${path}: real ${text(real)}; embedded ${text(embedded)}`;
}

/**
 * In three places the real server tells an empty map from none before it stores both alike: an immutable ConfigMap or
 * Secret, and the parameters of a StorageClass. The embedded one does not see that difference.
 */
function isKnown({ real, embedded }: Readonly<{ real: Answer; embedded: Answer }>): boolean {
  const causes = listAt(real.body, 'details', 'causes');
  const aboutMaps = causes.every((cause) => /^(data|binaryData|parameters)$/.test(stringAt(cause, 'field') ?? ''));
  return real.code === 422 && embedded.code === 200 && causes.length > 0 && aboutMaps;
}

/** Where a watch of a kind begins. */
async function versionOf(client: Client, path: string): Promise<string> {
  const { body } = await client.call({ method: 'GET', path: `${path}?limit=1&labelSelector=none%3Dnone` });
  return stringAt(body, 'metadata', 'resourceVersion') ?? '';
}

/**
 * What watches tell of a sequence afterwards: of the object, and of it as long as it has a label. They end by
 * themselves, beside the sequences that follow.
 */
async function watched(
  pair: Pair,
  subject: Subject,
  from: Readonly<{ real: string; embedded: string }>,
): Promise<string[]> {
  const path = pathOf(subject.kind, subject.namespace);
  const differences: string[] = [];
  for (const labelSelector of ['', 'app=x']) {
    const watchOf = (resourceVersion: string): Call => {
      const fieldSelector = `metadata.name=${subject.name}`;
      const parts = { watch: '1', timeoutSeconds: '2', resourceVersion, fieldSelector, labelSelector };
      return { method: 'GET', path: `${path}?${new URLSearchParams(parts).toString()}` };
    };
    const [real, embedded] = await Promise.all([
      pair.real.call(watchOf(from.real)),
      pair.embedded.call(watchOf(from.embedded)),
    ]);
    const [left, right] = [comparable(real), comparable(embedded)];
    const told = (seen: unknown): string =>
      listAt(seen, 'events')
        .map((event) => stringAt(event, 'type'))
        .join();
    if (told(left) !== told(right))
      differences.push(
        `${subject.kind.kind} ${subject.name}, watch ${labelSelector}: real ${told(left)}; embedded ${told(right)}`,
      );
    else if (canonicalJson(left) !== canonicalJson(right))
      differences.push(`${subject.kind.kind} ${subject.name}, watch ${labelSelector}${firstDifference(left, right)}`);
  }
  return differences;
}

async function play(pair: Pair, index: number, watches: Promise<string[]>[]): Promise<string | undefined> {
  const random = new Random(seed * 1_000_003 + index);
  const kinds = only === undefined ? testedKinds : testedKinds.filter(({ kind }) => kind === only);
  const kind = kinds[index % kinds.length];
  assert.ok(kind !== undefined);
  const subject = { kind, namespace, name: `d-${seed}-${index}` };
  const get = { method: 'GET', path: pathOf(kind, namespace, subject.name) };
  const collection = pathOf(kind, namespace);
  const from = { real: await versionOf(pair.real, collection), embedded: await versionOf(pair.embedded, collection) };
  for (const [number, step] of sequenceOf(subject, random).entries()) {
    const seen = { real: await pair.real.call(get), embedded: await pair.embedded.call(get) };
    const asked = { real: step.call(objectIn(seen.real)), embedded: step.call(objectIn(seen.embedded)) };
    const said = { real: await pair.real.call(asked.real), embedded: await pair.embedded.call(asked.embedded) };
    const stored = { real: await pair.real.call(get), embedded: await pair.embedded.call(get) };
    for (const [what, answers] of [
      ['answer', said],
      ['stored', stored],
    ] as const) {
      const real = comparable(answers.real);
      const embedded = comparable(answers.embedded);
      if (canonicalJson(real) === canonicalJson(embedded)) continue;
      if (isKnown(answers)) return undefined;
      return [
        `sequence ${index} (${kind.kind}), step ${number + 1}: ${step.text}, ${what}${firstDifference(real, embedded)}`,
        `  sent ${canonicalJson(asked.real)}`,
        `  real ${stringAt(answers.real.body, 'message') ?? ''}`,
        `  embedded ${stringAt(answers.embedded.body, 'message') ?? ''}`,
      ].join('\n');
    }
  }
  watches.push(watched(pair, subject, from));
  return undefined;
}

test('the embedded cluster answers as the real one', { timeout: 30 * 60_000 }, async (context) => {
  await using plane = await startReal(context);
  if (plane === undefined) return;
  await using sim = await startKubeSim({ controllers: 'off' });
  const real = connect({ name: 'real', url: plane.server, token: plane.token, caPem: plane.caPem });
  const embedded = connect({ name: 'embedded', url: sim.url, token: sim.token, caPem: sim.caPem });
  try {
    await prepare(real);
    await prepare(embedded);
    stopControllers(plane);
    const differences: string[] = [];
    const watches: Promise<string[]>[] = [];
    for (let index = 0; index < count; index += 1) {
      const difference = await play({ real, embedded }, index, watches);
      if (difference !== undefined) differences.push(difference);
    }
    differences.push(...(await Promise.all(watches)).flat());
    const kinds = only === undefined ? testedKinds.length : 1;
    context.diagnostic(`seed ${seed}, ${count} sequences over ${kinds} kinds, ${differences.length} differ`);
    assert.equal(
      differences.length,
      0,
      `seed ${seed}: ${differences.length} of ${count} differ\n${differences.join('\n')}`,
    );
  } finally {
    real.close();
    embedded.close();
  }
});
