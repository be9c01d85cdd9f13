import { isRecord } from '@tiphys/api';
import { parseQuantity } from '../quantity.ts';
import { checkDownwardItem } from './downward.ts';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { checkMode, checkNoWayUp, checkRelativePath } from './security-context.ts';
import { dnsLabel, dnsSubdomain } from './text-forms.ts';

/** The volumes of a pod. @returns the names of those that are right */
export function checkVolumes(volumes: readonly unknown[], path: string, faults: Faults): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const here = `${path}[${index}]`;
    const name = textAt(volume, 'name');
    const before = faults.errors.length;
    checkSource(volume, here, faults);
    if (name === '') faults.required(`${here}.name`);
    else faults.malformed(`${here}.name`, name, dnsLabel(name));
    if (names.has(name)) faults.duplicate(`${here}.name`, name);
    if (faults.errors.length === before) names.add(name);
  }
  return names;
}

type Check = (source: Readonly<Record<string, unknown>>, path: string, faults: Faults) => void;

/** Fields that must not be empty. */
const needs =
  (...fields: readonly string[]): Check =>
  (source, path, faults) => {
    for (const field of fields)
      if (textAt(source, field) === '' && itemsAt(source, field).length === 0) faults.required(`${path}.${field}`);
  };

/** Keys of an object as files. */
const checkItems: Check = (source, path, faults) => {
  for (const [index, item] of itemsAt(source, 'items').entries()) {
    const here = `${path}.items[${index}]`;
    if (textAt(item, 'key') === '') faults.required(`${here}.key`);
    const file = textAt(item, 'path');
    if (file === '') faults.required(`${here}.path`);
    else checkRelativePath(file, `${here}.path`, faults);
    checkMode(item, { path: here, name: 'mode' }, faults);
  }
};

const files =
  (name: string): Check =>
  (source, path, faults) => {
    needs(name)(source, path, faults);
    checkMode(source, { path, name: 'defaultMode' }, faults);
    checkItems(source, path, faults);
  };

const checkDownward: Check = (source, path, faults) => {
  checkMode(source, { path, name: 'defaultMode' }, faults);
  for (const [index, item] of itemsAt(source, 'items').entries()) {
    const file = textAt(item, 'path');
    if (file === '') faults.required(`${path}.items[${index}].path`);
    else checkRelativePath(file, `${path}.path`, faults);
    checkDownwardItem(item, path, faults);
    checkMode(item, { path, name: 'mode' }, faults);
  }
};

const tokenSeconds = { least: 600, most: 2 ** 32 };

const checkToken: Check = (source, path, faults) => {
  const seconds = numberIn(source, 'expirationSeconds') ?? 3600;
  const here = `${path}.expirationSeconds`;
  if (seconds < tokenSeconds.least) faults.invalid(here, seconds, 'may not specify a duration less than 10 minutes');
  if (seconds > tokenSeconds.most) faults.invalid(here, seconds, 'may not specify a duration larger than 2^32 seconds');
  // This one is found missing one level higher.
  if (textAt(source, 'path') === '') faults.required(`${path.replace(/\.sources\[.*$/, '')}.path`);
};

const projectedSources: Readonly<Record<string, Check>> = {
  secret: (source, path, faults) => {
    needs('name')(source, path, faults);
    checkItems(source, path, faults);
  },
  configMap: (source, path, faults) => {
    needs('name')(source, path, faults);
    checkItems(source, path, faults);
  },
  downwardAPI: checkDownward,
  serviceAccountToken: checkToken,
};

const checkProjected: Check = (source, path, faults) => {
  checkMode(source, { path, name: 'defaultMode' }, faults);
  for (const [index, part] of itemsAt(source, 'sources').entries()) {
    const here = `${path}.sources[${index}]`;
    const kinds = isRecord(part) ? Object.keys(part).filter((kind) => isRecord(part[kind])) : [];
    if (kinds.length > 1) faults.forbidden(here, 'may not specify more than 1 volume type per source');
    const [kind = ''] = kinds;
    if (kinds.length === 1) projectedSources[kind]?.(partOf(part, kind), `${here}.${kind}`, faults);
  }
};

const checkClaimTemplate: Check = (source, path, faults) => {
  const here = `${path}.volumeClaimTemplate`;
  if (!isRecord(source['volumeClaimTemplate'])) {
    faults.required(here);
    return;
  }
  const spec = partOf(source['volumeClaimTemplate'], 'spec');
  if (itemsAt(spec, 'accessModes').length === 0)
    faults.required(`${here}.spec.accessModes`, 'at least 1 access mode is required');
  const requests = partOf(partOf(spec, 'resources'), 'requests');
  if (requests['storage'] === undefined) faults.required(`${here}.spec.resources[storage]`);
};

const hostTypes = [
  ...['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'],
];

const checkHostPath: Check = (source, path, faults) => {
  const text = textAt(source, 'path');
  if (text === '') {
    faults.required(`${path}.path`);
    return;
  }
  checkNoWayUp(text, `${path}.path`, faults);
  const type = textAt(source, 'type');
  if (!hostTypes.includes(type)) faults.unsupported(`${path}.type`, type, hostTypes);
};

const checkNfs: Check = (source, path, faults) => {
  needs('server', 'path')(source, path, faults);
  const file = textAt(source, 'path');
  if (!file.startsWith('/')) faults.invalid(`${path}.path`, file, 'must be an absolute path');
};

const iscsiForm = /^iqn\.\d{4}-\d{2}\.[a-z0-9][-a-z0-9.]*(?::[^,;*&$|\s]+)?$|^(?:eui|naa)\.[0-9a-fA-F]+$/;

const checkIscsi: Check = (source, path, faults) => {
  needs('targetPortal', 'iqn')(source, path, faults);
  const name = textAt(source, 'iqn');
  if (name !== '' && !iscsiForm.test(name)) faults.invalid(`${path}.iqn`, name, 'must be valid format');
  const lun = numberIn(source, 'lun') ?? 0;
  if (lun < 0 || lun > 255) faults.invalid(`${path}.lun`, lun, 'must be between 0 and 255, inclusive');
};

const checkEmptyDir: Check = (source, path, faults) => {
  const limit = textAt(source, 'sizeLimit');
  if (limit !== '' && (parseQuantity(limit)?.unscaled ?? 0n) < 0n)
    faults.forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity');
};

const checkCsi: Check = (source, path, faults) => {
  const driver = textAt(source, 'driver');
  if (driver === '') faults.required(`${path}.driver`);
  else faults.malformed(`${path}.driver`, driver, dnsSubdomain(driver));
};

const checkImage: Check = (source, path, faults) => {
  needs('reference')(source, path, faults);
  const policy = textAt(source, 'pullPolicy');
  const policies = ['Always', 'IfNotPresent', 'Never'];
  if (policy !== '' && !policies.includes(policy)) faults.unsupported(`${path}.pullPolicy`, policy, policies);
};

const checkFibreChannel: Check = (source, path, faults) => {
  if (itemsAt(source, 'targetWWNs').length === 0 && itemsAt(source, 'wwids').length === 0)
    faults.required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both');
};

const checkAzureDisk: Check = (source, path, faults) => {
  needs('diskName', 'diskURI')(source, path, faults);
  const uri = textAt(source, 'diskURI');
  const isManaged = source['kind'] === 'Managed';
  const form = isManaged
    ? '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
    : 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';
  if (isManaged ? !uri.startsWith('/subscriptions') : !uri.startsWith('https'))
    faults.unsupported(`${path}.diskURI`, uri, [form]);
};

const sources: Readonly<Record<string, Check>> = {
  awsElasticBlockStore: needs('volumeID'),
  azureDisk: checkAzureDisk,
  azureFile: needs('secretName', 'shareName'),
  cephfs: needs('monitors'),
  cinder: needs('volumeID'),
  configMap: files('name'),
  csi: checkCsi,
  downwardAPI: checkDownward,
  emptyDir: checkEmptyDir,
  ephemeral: checkClaimTemplate,
  fc: checkFibreChannel,
  flexVolume: needs('driver'),
  // Go calls it by another name.
  gcePersistentDisk: (source, path, faults) =>
    needs('pdName')(source, path.replace(/gcePersistentDisk$/, 'persistentDisk'), faults),
  gitRepo: needs('repository'),
  glusterfs: needs('endpoints', 'path'),
  hostPath: checkHostPath,
  image: checkImage,
  iscsi: checkIscsi,
  nfs: checkNfs,
  persistentVolumeClaim: needs('claimName'),
  projected: checkProjected,
  rbd: needs('monitors', 'image'),
  secret: files('secretName'),
  vsphereVolume: needs('volumePath'),
};

function checkSource(volume: unknown, path: string, faults: Faults): void {
  const given = isRecord(volume) ? Object.keys(volume).filter((key) => key !== 'name') : [];
  for (const source of given.slice(1)) faults.forbidden(`${path}.${source}`, 'may not specify more than 1 volume type');
  const [source] = given;
  if (source === undefined) faults.required(path, 'must specify a volume type');
  else sources[source]?.(partOf(volume, source), `${path}.${source}`, faults);
}
