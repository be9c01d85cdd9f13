import {
  type Because,
  describeFinding,
  describeKey,
  isRecord,
  keyOf,
  type KubeObject,
  parseApplication,
} from '@tiphys/api';

/** Desired Applications as they are to be stored, and what is wrong or odd about them. */
export type ChildApplications = Readonly<{
  objects: readonly KubeObject[];
  errors: readonly Because[];
  warnings: readonly Because[];
}>;

const groups = /^(?:argoproj|argocd)\.io\//;
const isApplication = ({ apiVersion, kind }: KubeObject): boolean => kind === 'Application' && groups.test(apiVersion);

/** Rules that `app create` applies and that a manifest in Git is measured by too (DISC-01, DISC-02). */
const refusedPaths = new Set(['spec.destinations']);

/**
 * Applications among the desired objects: the group that documents misspell is read as the real one, and a list of destinations is
 * refused here, where it can be mended, and not by whoever meets the stored object.
 */
export function readChildApplications(desired: readonly KubeObject[]): ChildApplications {
  if (!desired.some(isApplication)) return { objects: desired, errors: [], warnings: [] };
  const errors: Because[] = [];
  const warnings: Because[] = [];
  const objects = desired.map((object) => {
    if (!isApplication(object)) return object;
    const name = describeKey(keyOf(object));
    const { value, problems, warnings: odd } = parseApplication(object, { mode: 'create' });
    for (const problem of problems)
      if (refusedPaths.has(problem.path))
        errors.push({ code: 'invalid-application', object: name, message: `${name}: ${describeFinding(problem)}` });
    for (const warning of odd)
      if (warning.path === 'apiVersion')
        warnings.push({ code: 'application-group', object: name, message: `${name}: ${describeFinding(warning)}` });
    const real: unknown = value;
    return isRecord(real) && value.apiVersion !== object.apiVersion
      ? { ...object, apiVersion: value.apiVersion }
      : object;
  });
  return { objects, errors, warnings };
}
