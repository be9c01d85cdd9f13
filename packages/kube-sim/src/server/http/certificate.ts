import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import * as der from './der.ts';

/** A certificate with its private key, both PEM. */
export type Credential = Readonly<{ certificatePem: string; keyPem: string }>;

/** What a server presents, and what its clients trust. */
export type ServerCredential = Credential & Readonly<{ caPem: string }>;

const oid = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
};

const name = (commonName: string): Buffer =>
  der.sequence(der.set(der.sequence(der.objectIdentifier(oid.commonName), der.utf8String(commonName))));

const extension = (identifier: string, value: Buffer, critical = false): Buffer =>
  der.sequence(der.objectIdentifier(identifier), ...(critical ? [der.boolean(true)] : []), der.octetString(value));

const publicKeyDer = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

const keyIdentifier = (key: KeyObject): Buffer => createHash('sha1').update(publicKeyDer(key)).digest();

const generalName = (host: string): Buffer =>
  isIPv4(host)
    ? der.tagged(7, Buffer.from(host.split('.').map(Number)), 'primitive')
    : der.tagged(2, Buffer.from(host, 'ascii'), 'primitive');

const pem = (label: string, bytes: Buffer): string => {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};

type Request = Readonly<{
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  signer: Readonly<{ publicKey: KeyObject; privateKey: KeyObject }>;
  extensions: readonly Buffer[];
  now: Date;
}>;

const dayMs = 86_400_000;

/** An X.509 v3 certificate (RFC 5280) signed with ECDSA and SHA-256; valid from an hour ago for ten years. */
function issue({ subject, issuer, publicKey, signer, extensions, now }: Request): string {
  const algorithm = der.sequence(der.objectIdentifier(oid.ecdsaWithSha256));
  const validity = der.sequence(
    der.utcTime(new Date(now.getTime() - dayMs / 24)),
    der.utcTime(new Date(now.getTime() + 3650 * dayMs)),
  );
  const serial = randomBytes(16);
  // The first bit stays clear and the first byte set: a serial number is positive and has no leading zeros.
  serial[0] = ((serial[0] ?? 0) & 127) | 64;
  const common = [
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(publicKey))),
    extension(oid.authorityKeyIdentifier, der.sequence(der.tagged(0, keyIdentifier(signer.publicKey), 'primitive'))),
  ];
  const body = der.sequence(
    der.tagged(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    name(issuer),
    validity,
    name(subject),
    publicKeyDer(publicKey),
    der.tagged(3, der.sequence(...common, ...extensions)),
  );
  const signature = sign('sha256', body, signer.privateKey);
  return pem('CERTIFICATE', der.sequence(body, algorithm, der.bitString(signature)));
}

const newKeys = (): Readonly<{ publicKey: KeyObject; privateKey: KeyObject }> =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A new certificate authority and a server certificate of it for the given host names and IPv4 addresses. */
export function issueServerCredential(hosts: readonly string[], now: Date): ServerCredential {
  const authority = newKeys();
  const server = newKeys();
  const issuer = 'tiphys-embedded-cluster-ca';
  // keyCertSign and cRLSign; digitalSignature.
  const usage = {
    authority: der.bitString(Buffer.from([0b0000_0110]), 1),
    server: der.bitString(Buffer.from([128]), 7),
  };
  const caPem = issue({
    subject: issuer,
    issuer,
    publicKey: authority.publicKey,
    signer: authority,
    extensions: [
      extension(oid.basicConstraints, der.sequence(der.boolean(true)), true),
      extension(oid.keyUsage, usage.authority, true),
    ],
    now,
  });
  const certificatePem = issue({
    subject: 'kube-apiserver',
    issuer,
    publicKey: server.publicKey,
    signer: authority,
    extensions: [
      extension(oid.basicConstraints, der.sequence(), true),
      extension(oid.keyUsage, usage.server, true),
      extension(oid.extendedKeyUsage, der.sequence(der.objectIdentifier(oid.serverAuthentication))),
      extension(oid.subjectAlternativeName, der.sequence(...hosts.map(generalName))),
    ],
    now,
  });
  return { caPem, certificatePem, keyPem: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
