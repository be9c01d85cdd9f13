import { CodedError } from './error.ts';

/** metav1.LabelSelector. An empty selector selects everything. */
export type LabelSelector = Readonly<{
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly LabelRequirement[];
}>;

/** One condition on a label (metav1.LabelSelectorRequirement). */
export type LabelRequirement = Readonly<{
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: readonly string[];
}>;

type Labels = Readonly<Record<string, string>>;

const holds = ({ key, operator, values = [] }: LabelRequirement, labels: Labels): boolean => {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
};

/** Whether labels satisfy a selector. */
export function matchesSelector(selector: LabelSelector, labels: Labels = {}): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return equal && (selector.matchExpressions ?? []).every((requirement) => holds(requirement, labels));
}

const keyForm = String.raw`([A-Za-z0-9][\w./-]*)`;
const setBased = new RegExp(String.raw`^${keyForm}\s+(in|notin)\s*\(([\w.,\s-]*)\)$`);
const equalityBased = new RegExp(String.raw`^${keyForm}\s*(==|=|!=)\s*([\w.-]*)$`);
const existence = new RegExp(`^(!?)${keyForm}$`);

function parseRequirement(text: string): LabelRequirement {
  const set = setBased.exec(text);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    return {
      key,
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: values.split(',').map((value) => value.trim()),
    };
  }
  const equality = equalityBased.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality;
    return { key, operator: operator === '!=' ? 'NotIn' : 'In', values: [value] };
  }
  const exists = existence.exec(text);
  if (exists !== null) {
    const [, negation, key = ''] = exists;
    return { key, operator: negation === '!' ? 'DoesNotExist' : 'Exists' };
  }
  throw new CodedError(
    'language/invalid',
    `label selector: cannot read "${text}"; use key=value, key!=value, key in (a,b), key or !key`,
  );
}

/**
 * Reads the string form of a label selector (`a=b,c!=d,e in (f,g),!h`).
 * @throws CodedError language/invalid
 */
export function parseLabelSelector(text: string): LabelSelector {
  const parts = text.split(/,(?![^()]*\))/).map((part) => part.trim());
  return { matchExpressions: parts.filter((part) => part !== '').map(parseRequirement) };
}
