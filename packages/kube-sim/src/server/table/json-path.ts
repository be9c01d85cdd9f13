import { isRecord } from '@tiphys/api';

/** One step of a path. */
type Step =
  | Readonly<{ kind: 'key'; key: string }>
  | Readonly<{ kind: 'index'; index: number }>
  | Readonly<{ kind: 'all' }>
  | Readonly<{ kind: 'filter'; path: readonly string[]; equal: boolean; value: string }>;

const stepForms =
  /\.?\[\?\(\s*@((?:\.[\w-]+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([^)\s]+))\s*\)\]|\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\[(-?\d+)\]|\[(\*)\]|\.(\*)|\.((?:[^.[\]\\]|\\.)+)/y;

function stepOf(match: RegExpExecArray): Step {
  const [, filter, operator, double, single, bare, quoted, doubled, index, , , key] = match;
  if (filter !== undefined) {
    const value = double ?? single ?? bare ?? '';
    return { kind: 'filter', path: filter.slice(1).split('.'), equal: operator === '==', value };
  }
  const name = quoted ?? doubled ?? key;
  if (name !== undefined) return { kind: 'key', key: name.replaceAll(/\\(.)/g, '$1') };
  return index === undefined ? { kind: 'all' } : { kind: 'index', index: Number(index) };
}

/** The simple JSON paths of printer columns and scale subresources; undefined for what goes beyond them. */
function parse(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  const forms = new RegExp(stepForms);
  for (let at = 0; at < path.length; at = forms.lastIndex) {
    forms.lastIndex = at;
    const match = forms.exec(path);
    if (match === null) return undefined;
    steps.push(stepOf(match));
  }
  return steps;
}

const scalarText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

function take(value: unknown, step: Step): readonly unknown[] {
  switch (step.kind) {
    case 'key':
      return isRecord(value) && step.key in value ? [value[step.key]] : [];
    case 'index':
      return Array.isArray(value) && value.at(step.index) !== undefined ? [value.at(step.index)] : [];
    case 'all':
      return Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
    case 'filter':
      return (Array.isArray(value) ? value : []).filter((item) => {
        const found = step.path.reduce<unknown>((here, key) => (isRecord(here) ? here[key] : undefined), item);
        return (scalarText(found) === step.value) === step.equal;
      });
  }
}

/** Everything that a path like `.status.conditions[?(@.type=="Ready")].status` finds. */
export function findByPath(value: unknown, path: string): readonly unknown[] {
  const steps = parse(path.startsWith('.') || path.startsWith('[') ? path : `.${path}`);
  if (steps === undefined) return [];
  return steps.reduce<readonly unknown[]>((found, step) => found.flatMap((item) => take(item, step)), [value]);
}
