import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { refuseWhen, startKubeSim, type KubeSim } from '../index.ts';
import { call, watchUntil } from '../testing/client.ts';

const configMap = (name: string, more: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: 'b' },
});

const maps = '/api/v1/namespaces/default/configmaps';
const merge = 'application/merge-patch+json';

describe('the API server', () => {
  let sim: KubeSim;
  before(async () => {
    sim = await startKubeSim({ historyLength: 1000 });
  });
  after(() => sim.stop());

  const create = async (name: string, more: Record<string, unknown> = {}) =>
    (await call(sim, maps, { method: 'POST', body: configMap(name, more) })).body;

  test('speaks HTTP/2 and HTTP/1.1 on one port', async () => {
    const session = connect(sim.url, { ca: sim.caPem });
    const stream = session.request({ ':path': '/version', authorization: `Bearer ${sim.token}` });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    session.close();

    assert.match(Buffer.concat(chunks).toString(), /"gitVersion": "v1\.35\.4"/);
    assert.equal(stringAt((await call(sim, '/version')).body, 'gitVersion'), 'v1.35.4');
  });

  test('lets nobody in without a token, and refuses a wrong one', async () => {
    const [nobody, wrong, health] = await Promise.all([
      call(sim, maps, { token: '' }),
      call(sim, maps, { token: 'wrong' }),
      call(sim, '/readyz', { token: '' }),
    ]);

    assert.equal(nobody.code, 403);
    assert.equal(stringAt(nobody.body, 'reason'), 'Forbidden');
    assert.equal(wrong.code, 401);
    assert.equal(health.code, 200);
  });

  test('answers with the Status of the real server', async () => {
    const missing = await call(sim, `${maps}/nothing`);
    const nowhere = await call(sim, '/api/v1/namespaces/nowhere/configmaps', { method: 'POST', body: configMap('a') });
    await create('twice');
    const twice = await call(sim, maps, { method: 'POST', body: configMap('twice') });
    const invalid = await call(sim, maps, { method: 'POST', body: configMap('Bad_Name') });
    const strict = await call(sim, `${maps}?fieldValidation=Strict`, {
      method: 'POST',
      body: { ...configMap('strict'), colour: 'red' },
    });
    const warned = await call(sim, maps, { method: 'POST', body: { ...configMap('warned'), colour: 'red' } });

    assert.deepEqual(missing.body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "nothing" not found',
      reason: 'NotFound',
      details: { name: 'nothing', kind: 'configmaps' },
      code: 404,
    });
    assert.equal(stringAt(nowhere.body, 'message'), 'namespaces "nowhere" not found');
    assert.deepEqual([twice.code, stringAt(twice.body, 'reason')], [409, 'AlreadyExists']);
    assert.equal(invalid.code, 422);
    assert.equal(stringAt(invalid.body, 'details', 'causes', 0, 'field'), 'metadata.name');
    assert.equal(strict.code, 400);
    assert.match(stringAt(strict.body, 'message') ?? '', /strict decoding error: unknown field "colour"/);
    assert.equal(warned.headers['warning'], '299 - "unknown field \\"colour\\""');
  });

  test('refuses an update of an outdated version', async () => {
    const first = await create('conflict');
    await call(sim, `${maps}/conflict`, { method: 'PATCH', type: merge, body: { data: { c: 'd' } } });
    const stale = await call(sim, `${maps}/conflict`, { method: 'PUT', body: first });

    assert.equal(stale.code, 409);
    assert.equal(
      stringAt(stale.body, 'message'),
      'Operation cannot be fulfilled on configmaps "conflict": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  test('a write that changes nothing keeps the resourceVersion', async () => {
    const first = await create('same');
    const again = await call(sim, `${maps}/same`, { method: 'PATCH', type: merge, body: { data: { a: 'b' } } });

    assert.equal(stringAt(again.body, 'metadata', 'resourceVersion'), stringAt(first, 'metadata', 'resourceVersion'));
  });

  test('a dry run stores nothing', async () => {
    const tried = await call(sim, `${maps}?dryRun=All`, { method: 'POST', body: configMap('dry') });

    assert.equal(tried.code, 201);
    assert.equal((await call(sim, `${maps}/dry`)).code, 404);
  });

  test('generates names', async () => {
    const made = await call(sim, maps, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } },
    });

    assert.match(stringAt(made.body, 'metadata', 'name') ?? '', /^gen-[a-z0-9]{5}$/);
  });

  test('finalizers hold a deleted object until the last one goes', async () => {
    await create('held', { finalizers: ['example.com/hold'] });
    const marked = await call(sim, `${maps}/held`, { method: 'DELETE' });
    const released = await call(sim, `${maps}/held`, {
      method: 'PATCH',
      type: merge,
      body: { metadata: { finalizers: null } },
    });

    assert.notEqual(stringAt(marked.body, 'metadata', 'deletionTimestamp'), undefined);
    assert.equal(released.code, 200);
    assert.equal((await call(sim, `${maps}/held`)).code, 404);
  });

  test('pages of a list show one revision, whatever happens between them', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await create(name, { labels: { page: 'yes' } });
    const query = `${maps}?labelSelector=page%3Dyes&limit=2`;
    const first = await call(sim, query);
    await call(sim, `${maps}/page-c`, { method: 'DELETE' });
    await create('page-d', { labels: { page: 'yes' } });
    const token = encodeURIComponent(stringAt(first.body, 'metadata', 'continue') ?? '');
    const second = await call(sim, `${query}&continue=${token}`);

    const names = [...listAt(first.body, 'items'), ...listAt(second.body, 'items')].map((item) =>
      stringAt(item, 'metadata', 'name'),
    );
    assert.deepEqual(names, ['page-a', 'page-b', 'page-c']);
    assert.equal(
      stringAt(second.body, 'metadata', 'resourceVersion'),
      stringAt(first.body, 'metadata', 'resourceVersion'),
    );
  });

  test('a watch resumes from a version and sees objects enter and leave its selection', async () => {
    const start = stringAt((await call(sim, maps)).body, 'metadata', 'resourceVersion') ?? '';
    const seen = watchUntil(
      sim,
      `${maps}?watch=true&resourceVersion=${start}&labelSelector=seen%3Dyes`,
      (events) => events.length === 3,
    );
    await create('watched');
    const label = (value: string | null) =>
      call(sim, `${maps}/watched`, { method: 'PATCH', type: merge, body: { metadata: { labels: { seen: value } } } });
    await label('yes');
    await call(sim, `${maps}/watched`, { method: 'PATCH', type: merge, body: { data: { more: 'x' } } });
    await label(null);

    assert.deepEqual(
      (await seen).map(({ type }) => type),
      ['ADDED', 'MODIFIED', 'DELETED'],
    );
  });

  test('a watch can begin with what is there, and says when that is over', async () => {
    const events = await watchUntil(
      sim,
      `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
      (seen) => seen.at(-1)?.type === 'BOOKMARK',
    );

    assert.equal(at(events.at(-1)?.object, 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true');
    assert.ok(events.slice(0, -1).every(({ type }) => type === 'ADDED'));
  });

  test('a version that is forgotten answers 410', async () => {
    const old = stringAt(await create('old'), 'metadata', 'resourceVersion') ?? '';
    await create('newer');
    sim.expireWatches();
    const [event] = await watchUntil(sim, `${maps}?watch=1&resourceVersion=${old}`, (events) => events.length > 0);
    const list = await call(sim, `${maps}?resourceVersion=${old}&resourceVersionMatch=Exact`);

    assert.equal(event?.type, 'ERROR');
    assert.equal(at(event.object, 'code'), 410);
    assert.deepEqual([list.code, stringAt(list.body, 'reason')], [410, 'Expired']);
  });

  test('a rule refuses what it matches, until it is taken back', async () => {
    const accept = sim.refuse(refuseWhen({ verb: 'create', resource: 'configmaps', namespace: 'default' }, 403));
    const refused = await call(sim, maps, { method: 'POST', body: configMap('refused') });
    accept();
    const accepted = await call(sim, maps, { method: 'POST', body: configMap('refused') });

    assert.deepEqual([refused.code, accepted.code], [403, 201]);
  });

  test('tables have the columns of the real server', async () => {
    await create('table');
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await call(sim, `${maps}/table`, { accept });

    assert.equal(stringAt(body, 'kind'), 'Table');
    assert.deepEqual(
      listAt(body, 'columnDefinitions').map((column) => stringAt(column, 'name')),
      ['Name', 'Data', 'Age'],
    );
    assert.deepEqual(listAt(body, 'rows', 0, 'cells').slice(0, 2), ['table', 1]);
  });
});

test('HTTP without TLS, for those who ask for it', async () => {
  await using sim = await startKubeSim({ tls: false });

  assert.match(sim.url, /^http:/);
  assert.equal((await call(sim, '/api/v1/nodes')).code, 200);
});
