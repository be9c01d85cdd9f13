import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '@tiphys/api';
import { KubeError } from '@tiphys/kube';
import { mayForce, whyNotForced } from './refused-update.ts';

type Answer = Readonly<{
  code: ErrorCode;
  status: number;
  reason?: string;
  message?: string;
  fields?: readonly string[];
}>;

const answered = ({ code, status, reason = '', message = '', fields = [] }: Answer): KubeError =>
  new KubeError(code, message, { status, reason, causes: fields.map((field) => ({ field })) });
const invalid = (...fields: string[]): KubeError =>
  answered({ code: 'kube/invalid', status: 422, reason: 'Invalid', fields });

const update = invalid('spec.selector');
const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };

test('SYNC-42 force gets past a change that is not allowed, and past nothing else', () => {
  assert.ok(mayForce(web, update));
  assert.ok(!mayForce({ ...web, kind: 'CustomResourceDefinition' }, update));
  for (const other of [
    answered({ code: 'kube/invalid', status: 400, reason: 'BadRequest' }),
    answered({ code: 'kube/forbidden', status: 403, reason: 'Forbidden' }),
    answered({ code: 'kube/object-too-large', status: 500 }),
  ])
    assert.ok(!mayForce(web, other));
});

const creations: readonly Readonly<{ says: string; creation: KubeError; deletes: boolean }>[] = [
  { says: 'its port is taken by the one that stands', creation: invalid('spec.ports[0].nodePort'), deletes: true },
  { says: 'the field that the update was refused for', creation: invalid('spec.selector'), deletes: false },
  {
    says: 'it cannot be read',
    creation: answered({ code: 'kube/invalid', status: 400, message: 'unknown field "spec.replicaz"' }),
    deletes: false,
  },
  {
    says: 'a webhook cannot be tried',
    creation: answered({ code: 'kube/invalid', status: 400, message: 'webhook "a" does not support dry run' }),
    deletes: true,
  },
  {
    says: 'the quota is full',
    creation: answered({ code: 'kube/forbidden', status: 403, message: 'exceeded quota: q, requested: 1' }),
    deletes: true,
  },
  {
    says: 'nobody may create it',
    creation: answered({ code: 'kube/forbidden', status: 403, message: 'cannot create resource "deployments"' }),
    deletes: false,
  },
  { says: 'the API server failed', creation: answered({ code: 'kube/server-error', status: 500 }), deletes: false },
];
for (const { says, creation, deletes } of creations)
  test(`SYNC-42 force ${deletes ? 'deletes' : 'keeps'} the object when the trial of its creation says: ${says}`, () => {
    assert.equal(whyNotForced(update, creation) === undefined, deletes);
  });
