import { Optional, type Environment } from '@marcbachmann/cel-js';
import { isLink } from './cel-addresses.ts';
import { dns1035Label, dnsLabel, dnsSubdomain, labelValueForm, qualifiedName } from './text-forms.ts';

/* Texts and their forms in CEL. */

/** A form that texts can be checked against. */
class Format {
  readonly check: (text: string) => readonly string[];
  constructor(check: (text: string) => readonly string[]) {
    this.check = check;
  }
}

/** `format.dns1123Label()` and the like. */
class Formats {
  readonly byName: ReadonlyMap<string, Format>;
  constructor(byName: ReadonlyMap<string, Format>) {
    this.byName = byName;
  }
}

const uuidForm = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const dateForm = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const timeForm = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

const whether =
  (isRight: (text: string) => boolean, why: string) =>
  (text: string): readonly string[] =>
    isRight(text) ? [] : [why];

/** A name that may end in a dash, since something is put behind it. */
const prefixOf =
  (form: (text: string) => readonly string[]) =>
  (text: string): readonly string[] =>
    form(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const formats = new Formats(
  new Map<string, Format>(
    Object.entries({
      dns1123Label: dnsLabel,
      dns1123Subdomain: dnsSubdomain,
      dns1035Label,
      qualifiedName,
      dns1123LabelPrefix: prefixOf(dnsLabel),
      dns1123SubdomainPrefix: prefixOf(dnsSubdomain),
      dns1035LabelPrefix: prefixOf(dns1035Label),
      labelValue: labelValueForm,
      uri: whether(isLink, 'invalid URI'),
      uuid: whether((text) => uuidForm.test(text), 'does not match the UUID format'),
      byte: whether((text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, 'invalid base64'),
      date: whether((text) => dateForm.test(text) && !Number.isNaN(Date.parse(text)), 'invalid date'),
      datetime: whether((text) => timeForm.test(text) && !Number.isNaN(Date.parse(text)), 'invalid datetime'),
    }).map(([name, check]) => [name, new Format(check)] as const),
  ),
);

function validated(format: Format, text: string): Optional {
  const faults = format.check(text);
  return faults.length === 0 ? Optional.none() : Optional.of([...faults]);
}

export function registerFormats(environment: Environment): Environment {
  environment
    .registerType('kubernetes.NamedFormat', { ctor: Format, fields: {} })
    .registerType('kubernetes.Formats', { ctor: Formats, fields: {} })
    .registerConstant('format', 'kubernetes.Formats', formats)
    .registerFunction('kubernetes.NamedFormat.validate(string): optional', validated)
    .registerFunction('kubernetes.Formats.named(string): optional', (all: Formats, name: string) => {
      const found = all.byName.get(name);
      return found === undefined ? Optional.none() : Optional.of(found);
    });
  for (const [name, format] of formats.byName)
    environment.registerFunction(`kubernetes.Formats.${name}(): kubernetes.NamedFormat`, () => format);
  return environment;
}

/** What `strings.quote(...)` is asked of. */
class Texts {
  readonly name = 'strings';
}

function printed(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printed).join(', ')}]`;
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return value.toString();
    default:
      return JSON.stringify(value);
  }
}

/** The verbs of `"%s".format([...])`. */
function formatText(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replaceAll(/%(?:%|(?:\.(\d+))?([sdfexXob]))/g, (match: string, digits?: string, verb?: string) => {
    if (match === '%%') return '%';
    if (next >= values.length) throw new Error(`index ${next} out of range`);
    const value = values[next++];
    const number = typeof value === 'bigint' ? value : Number(value);
    const places = digits === undefined ? 6 : Number(digits);
    switch (verb) {
      case 'f':
        return Number(number).toFixed(places);
      case 'e':
        return Number(number)
          .toExponential(places)
          .replace(/e([+-])(\d)$/, 'e$10$2');
      case 'x':
      case 'X': {
        const hex = typeof value === 'string' ? Buffer.from(value).toString('hex') : number.toString(16);
        return verb === 'X' ? hex.toUpperCase() : hex;
      }
      case 'o':
        return number.toString(8);
      case 'b':
        return typeof value === 'boolean' ? (value ? '1' : '0') : number.toString(2);
      default:
        return printed(value);
    }
  });
}

/** At most so many of a text's parts changed or found; all for a negative number. */
const limited = <T>(all: readonly T[], most: bigint): T[] => (most < 0n ? [...all] : all.slice(0, Number(most)));

function replaceSome(text: string, change: Readonly<{ from: string; to: string }>, most: bigint): string {
  if (most < 0n) return text.replaceAll(change.from, change.to);
  let rest = text;
  let done = '';
  for (let count = 0n; count < most; count++) {
    const at = rest.indexOf(change.from);
    if (at < 0) break;
    done += rest.slice(0, at) + change.to;
    rest = rest.slice(at + change.from.length);
  }
  return done + rest;
}

export const registerTexts = (environment: Environment): Environment =>
  environment
    .registerType('kubernetes.Texts', { ctor: Texts, fields: {} })
    .registerConstant('strings', 'kubernetes.Texts', new Texts())
    .registerFunction('kubernetes.Texts.quote(string): string', (_texts: Texts, text: string) => JSON.stringify(text))
    .registerFunction('string.charAt(int): string', (text: string, at: bigint) => text.charAt(Number(at)))
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, to),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, ...[from, to, most]: [string, string, bigint]) => replaceSome(text, { from, to }, most),
    )
    .registerFunction('string.format(list): string', formatText)
    .registerFunction(
      'string.find(string): string',
      (text: string, form: string) => new RegExp(form).exec(text)?.[0] ?? '',
    )
    .registerFunction(
      'string.findAll(string): list<string>',
      (text: string, form: string) => text.match(new RegExp(form, 'g')) ?? [],
    )
    .registerFunction('string.findAll(string, int): list<string>', (text: string, form: string, most: bigint) =>
      limited(text.match(new RegExp(form, 'g')) ?? [], most),
    );
