import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { issueServerCredential } from './certificate.ts';

test('a server certificate is signed by its authority and names its hosts', () => {
  const { caPem, certificatePem } = issueServerCredential(['localhost', '127.0.0.1'], new Date());
  const [authority, server] = [new X509Certificate(caPem), new X509Certificate(certificatePem)];

  assert.equal(authority.ca, true);
  assert.equal(authority.verify(authority.publicKey), true);
  assert.equal(server.ca, false);
  assert.equal(server.verify(authority.publicKey), true);
  assert.equal(server.checkIssued(authority), true);
  assert.equal(server.checkHost('localhost'), 'localhost');
  assert.equal(server.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(server.checkHost('example.org'), undefined);
});
