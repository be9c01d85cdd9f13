import { isRecord } from '@tiphys/api';
import { itemsAt, numberIn, partOf, textAt, type Faults } from './faults.ts';
import { dnsSubdomain } from './text-forms.ts';

const maxId = 2147483647;

type Context = Readonly<Record<string, unknown>>;

function checkId(value: unknown, path: string, faults: Faults): void {
  if (typeof value === 'number' && (value < 0 || value > maxId))
    faults.invalid(path, value, `must be between 0 and ${maxId}, inclusive`);
}

function checkChoice(
  context: Context,
  field: Readonly<{ path: string; name: string; of: readonly string[] }>,
  faults: Faults,
) {
  const value = context[field.name];
  if (typeof value === 'string' && !field.of.includes(value))
    faults.unsupported(`${field.path}.${field.name}`, value, field.of);
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

/** A path below a folder that the kubelet has. */
export function checkRelativePath(value: string, path: string, faults: Faults): void {
  if (value.startsWith('/')) faults.invalid(path, value, 'must be a relative path');
  checkNoWayUp(value, path, faults);
}

export function checkNoWayUp(value: string, path: string, faults: Faults): void {
  if (value.split('/').includes('..')) faults.invalid(path, value, "must not contain '..'");
}

function checkSeccomp(profile: unknown, path: string, faults: Faults): void {
  if (!isRecord(profile)) return;
  const type = textAt(profile, 'type');
  const local = profile['localhostProfile'];
  const localPath = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    if (typeof local !== 'string') faults.required(localPath, 'must be set when seccomp type is Localhost');
    else checkRelativePath(local, localPath, faults);
  } else if (typeof local === 'string')
    faults.invalid(localPath, profile, 'can only be set when seccomp type is Localhost');
  if (type === '') faults.required(`${path}.type`, 'type is required when seccompProfile is set');
  else if (!profileTypes.includes(type)) faults.unsupported(`${path}.type`, type, profileTypes);
}

function checkAppArmor(profile: unknown, path: string, faults: Faults): void {
  if (!isRecord(profile)) return;
  const type = textAt(profile, 'type');
  const local = profile['localhostProfile'];
  const localPath = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    if (typeof local !== 'string' || local === '')
      faults.required(localPath, 'must be set when AppArmor type is Localhost');
    else if (local.trim() !== local) faults.invalid(localPath, local, 'must not be padded with whitespace');
  } else if (typeof local === 'string')
    faults.invalid(localPath, local, 'can only be set when AppArmor type is Localhost');
  if (type === '') faults.required(`${path}.type`, 'type is required when appArmorProfile is set');
  else if (!profileTypes.includes(type)) faults.unsupported(`${path}.type`, type, profileTypes);
}

function checkWindows(options: unknown, path: string, faults: Faults): void {
  if (!isRecord(options)) return;
  const name = options['gmsaCredentialSpecName'];
  if (typeof name === 'string') faults.malformed(`${path}.gmsaCredentialSpecName`, name, dnsSubdomain(name));
  if (options['runAsUserName'] === '')
    faults.invalid(`${path}.runAsUserName`, '', 'runAsUserName cannot be an empty string');
}

const sysctlSource = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctlForm = new RegExp(sysctlSource);

function checkSysctls(sysctls: readonly unknown[], path: string, faults: Faults): void {
  const names = new Set<string>();
  for (const [index, sysctl] of sysctls.entries()) {
    const here = `${path}[${index}].name`;
    const name = textAt(sysctl, 'name');
    if (name === '') faults.required(here);
    else if (name.length > 253 || !sysctlForm.test(name))
      faults.invalid(here, name, `must have at most 253 characters and match regex ${sysctlSource}`);
    else if (names.has(name)) faults.duplicate(here, name);
    names.add(name);
  }
}

/** What holds for all containers of a pod. */
export function checkPodSecurity(spec: Context, specPath: string, faults: Faults): void {
  const context = partOf(spec, 'securityContext');
  const path = `${specPath}.securityContext`;
  for (const field of ['fsGroup', 'runAsUser', 'runAsGroup']) checkId(context[field], `${path}.${field}`, faults);
  for (const [index, group] of itemsAt(context, 'supplementalGroups').entries())
    checkId(group, `${path}.supplementalGroups[${index}]`, faults);
  if (spec['shareProcessNamespace'] === true && spec['hostPID'] === true)
    faults.invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  checkSysctls(itemsAt(context, 'sysctls'), `${path}.sysctls`, faults);
  checkChoice(context, { path, name: 'fsGroupChangePolicy', of: ['Always', 'OnRootMismatch'] }, faults);
  checkSeccomp(context['seccompProfile'], `${path}.seccompProfile`, faults);
  checkWindows(context['windowsOptions'], `${path}.windowsOptions`, faults);
  checkAppArmor(context['appArmorProfile'], `${path}.appArmorProfile`, faults);
  checkChoice(context, { path, name: 'supplementalGroupsPolicy', of: ['Merge', 'Strict'] }, faults);
  checkChoice(context, { path, name: 'seLinuxChangePolicy', of: ['Recursive'] }, faults);
}

/** What holds for one container. `hostUsers`: that of the pod. */
export function checkContainerSecurity(
  context: Context,
  { path, hostUsers }: Readonly<{ path: string; hostUsers: unknown }>,
  faults: Faults,
): void {
  for (const field of ['runAsUser', 'runAsGroup']) checkId(context[field], `${path}.${field}`, faults);
  checkChoice(context, { path, name: 'procMount', of: ['Default', 'Unmasked'] }, faults);
  if (context['procMount'] === 'Unmasked' && hostUsers !== false)
    faults.invalid(`${path}.procMount`, 'Unmasked', '`hostUsers` must be false to use `Unmasked`');
  checkSeccomp(context['seccompProfile'], `${path}.seccompProfile`, faults);
  if (context['allowPrivilegeEscalation'] === false) {
    if (context['privileged'] === true)
      faults.invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
    if (itemsAt(partOf(context, 'capabilities'), 'add').includes('CAP_SYS_ADMIN'))
      faults.invalid(
        path,
        context,
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      );
  }
  checkWindows(context['windowsOptions'], `${path}.windowsOptions`, faults);
  checkAppArmor(context['appArmorProfile'], `${path}.appArmorProfile`, faults);
}

/** The permissions of files. */
export function checkMode(owner: unknown, field: Readonly<{ path: string; name: string }>, faults: Faults): void {
  const mode = numberIn(owner, field.name);
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    faults.invalid(`${field.path}.${field.name}`, mode, 'must be a number between 0 and 0777 (octal), both inclusive');
}
