/** The forms of names, keys and values, and what the API server says of a text that has not the form. */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualified})?`;
const configKey = '[-._a-zA-Z0-9]+';
const percent = '[0-9]+%';

const whole = (source: string): RegExp => new RegExp(`^${source}$`);

const forms = {
  label: whole(label),
  subdomain: whole(subdomain),
  label1035: whole(label1035),
  wildcard: whole(`\\*\\.${subdomain}`),
  qualified: whole(qualified),
  labelValue: whole(labelValue),
  configKey: whole(configKey),
  percent: whole(percent),
};

const explain = (text: string, source: string, ...examples: readonly string[]): string =>
  `${text} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${source}')`;

const tooLong = (limit: number): string => `must be no more than ${limit} characters`;

export function dnsLabel(text: string): string[] {
  const faults = text.length > 63 ? [tooLong(63)] : [];
  if (forms.label.test(text)) return faults;
  if (forms.subdomain.test(text)) return [...faults, 'must not contain dots'];
  const rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...faults, explain(rule, label, 'my-name', '123-abc')];
}

export function dnsSubdomain(text: string): string[] {
  const faults = text.length > 253 ? [tooLong(253)] : [];
  if (forms.subdomain.test(text)) return faults;
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...faults, explain(rule, subdomain, 'example.com')];
}

const search = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*';
const searchForm = whole(search);

/** What a resolver tries to append to a name. */
export function searchDomain(text: string): string[] {
  const faults = text.length > 253 ? [tooLong(253)] : [];
  if (searchForm.test(text)) return faults;
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
  return [...faults, explain(rule, search, 'example.com')];
}

/** Names of HTTP headers. */
export const headerName = (text: string): string[] =>
  /^[-A-Za-z0-9]+$/.test(text)
    ? []
    : [explain("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')];

export function dns1035Label(text: string): string[] {
  const faults = text.length > 63 ? [tooLong(63)] : [];
  if (forms.label1035.test(text)) return faults;
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...faults, explain(rule, label1035, 'my-name', 'abc-123')];
}

export function wildcardSubdomain(text: string): string[] {
  const faults = text.length > 253 ? [tooLong(253)] : [];
  if (forms.wildcard.test(text)) return faults;
  const rule =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...faults, explain(rule, `\\*\\.${subdomain}`, '*.example.com')];
}

const qualifiedRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** `name` or `prefix/name`: keys of labels and annotations, finalizers. */
export function qualifiedName(text: string): string[] {
  const parts = text.split('/');
  const examples = ['MyName', 'my.name', '123-abc'];
  if (parts.length > 2)
    return [
      `a valid label key ${explain(qualifiedRule, qualified, ...examples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`.replace(
        'a valid label key',
        'a qualified name',
      ),
    ];
  const name = parts.at(-1) ?? '';
  const faults: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') faults.push('prefix part must be non-empty');
    else faults.push(...dnsSubdomain(prefix).map((fault) => `prefix part ${fault}`));
  }
  if (name === '') faults.push('name part must be non-empty');
  else if (name.length > 63) faults.push(`name part ${tooLong(63)}`);
  if (!forms.qualified.test(name)) faults.push(`name part ${explain(qualifiedRule, qualified, ...examples)}`);
  return faults;
}

export function labelValueForm(text: string): string[] {
  const faults = text.length > 63 ? [tooLong(63)] : [];
  if (forms.labelValue.test(text)) return faults;
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...faults, explain(rule, labelValue, 'MyValue', 'my_value', '12345')];
}

/** Keys of ConfigMaps and Secrets. */
export function configMapKey(text: string): string[] {
  const faults = text.length > 253 ? [tooLong(253)] : [];
  if (!forms.configKey.test(text))
    faults.push(
      explain(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configKey,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  if (text === '.') faults.push("must not be '.'");
  else if (text === '..') faults.push("must not be '..'");
  else if (text.startsWith('..')) faults.push("must not start with '..'");
  return faults;
}

export function portName(text: string): string[] {
  const faults: string[] = [];
  if (text.length > 15) faults.push(tooLong(15));
  if (!/^[-a-z0-9]+$/.test(text)) faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) faults.push('must contain at least one letter (a-z)');
  if (text.includes('--')) faults.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) faults.push('must not begin or end with a hyphen');
  return faults;
}

/** Names that stand in a path: RBAC objects. */
export function pathSegment(text: string): string[] {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%'].filter((sign) => text.includes(sign)).map((sign) => `may not contain '${sign}'`);
}

/** `acme.io/foo`: who manages a Job. */
export function domainPath(text: string): string[] {
  const [domain = '', ...segments] = text.split('/');
  if (domain === '' || segments.length === 0 || segments.includes(''))
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const faults = dnsSubdomain(domain);
  const isPath = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(segments.join('/'));
  return [...faults, ...(isPath ? [] : ['Invalid path'])];
}

/** A non-empty text of printable ASCII without `=`. */
export function envName(text: string): string[] {
  if (text === '') return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(text)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export const isPercent = (text: string): boolean => forms.percent.test(text);

export const percentFault = explain(
  "a valid percent string must be a numeric string followed by an ending '%'",
  percent,
  '1%',
  '93%',
);
