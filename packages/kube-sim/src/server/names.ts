/** The letters of generated names: no vowels and nothing that is easily misread, as Kubernetes has it. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Random letters of the alphabet of generated names. */
export const randomSuffix = (random: () => number, length = 5): string =>
  Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');

/** `prefix` cut so that prefix and suffix fit into 63 characters, then the suffix. */
export const generatedName = (prefix: string, random: () => number): string =>
  prefix.slice(0, 58) + randomSuffix(random);

/** A short text in the alphabet of names for a number: every digit becomes a letter that spells no word. */
export const safeEncode = (text: string): string =>
  Array.from(text, (letter) => alphabet[letter.charCodeAt(0) % alphabet.length]).join('');
