import { CodedError } from './error.ts';
import { isRecord, type KubeObject } from './object.ts';

/**
 * Takes a value for a Kubernetes object: it must have apiVersion, kind and a metadata object (a missing metadata is read as empty).
 * @throws CodedError api/invalid-object that names what is missing
 */
export function asObject(value: unknown, what = 'manifest'): KubeObject {
  if (!isRecord(value))
    throw new CodedError('api/invalid-object', `${what}: not a Kubernetes object but ${describe(value)}`);
  const { apiVersion, kind, metadata = {} } = value;
  if (typeof kind !== 'string' || kind === '') throw new CodedError('api/invalid-object', `${what}: "kind" is missing`);
  if (typeof apiVersion !== 'string' || apiVersion === '')
    throw new CodedError('api/invalid-object', `${what}: "apiVersion" is missing (kind ${kind})`);
  if (metadata !== null && !isRecord(metadata))
    throw new CodedError('api/invalid-object', `${what}: "metadata" must be a mapping (kind ${kind})`);
  return { ...value, apiVersion, kind, metadata: metadata ?? {} };
}

const describe = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return `a ${typeof value}`;
};
