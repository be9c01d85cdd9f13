const formatOf = (zone: string): Intl.DateTimeFormat | undefined => {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  } catch {
    return undefined;
  }
};

/** Names without a slash in the time zone database. */
const plainNames = new Set(
  [
    'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire Factory GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland',
    'Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK',
    'Singapore Turkey UCT UTC Universal W-SU WET Zulu',
  ]
    .join(' ')
    .split(' '),
);

/** The first words of all other names. */
const regions = new Set(
  'Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific US'.split(
    ' ',
  ),
);

/**
 * Whether a name is one of the time zone database as it is written there. Intl takes any case and bare offsets too; the
 * API server looks for a file of that name.
 */
export function isTimeZone(name: string): boolean {
  if (plainNames.has(name)) return true;
  const [region = '', ...places] = name.split('/');
  if (!regions.has(region) || places.length === 0) return false;
  if (!places.every((place) => /^[A-Z][A-Za-z0-9_+-]*$/.test(place))) return false;
  const known = formatOf(name)?.resolvedOptions().timeZone;
  return known !== undefined && (known === name || known.toLowerCase() !== name.toLowerCase());
}

/** How far the clocks of a zone are ahead of UTC at a time, in milliseconds; 0 for a zone that is not known. */
export function offsetIn(zone: string | undefined): (time: Date) => number {
  const format = zone === undefined || zone === 'UTC' ? undefined : formatOf(zone);
  if (format === undefined) return () => 0;
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const face = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return face - Math.floor(time.getTime() / 1000) * 1000;
  };
}
