/** A five-field cron schedule: the values that each field allows. */
export type Schedule = Readonly<{
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** Day of month and day of week both restricted: either is enough. */
  eitherDay: boolean;
}>;

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const shorthands: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

type Field = Readonly<{ low: number; high: number; names?: readonly string[] }>;

function valueOf(text: string, { low, names }: Field): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + low : Number(text);
}

function parsePart(part: string, field: Field): readonly number[] {
  const [range = '', stepText] = part.split('/');
  const step = stepText === undefined ? 1 : Number(stepText);
  const [from = '', to] = range.split('-');
  const whole = range === '*' || range === '?';
  const start = whole ? field.low : valueOf(from, field);
  const end =
    whole || (to === undefined && stepText !== undefined) ? field.high : to === undefined ? start : valueOf(to, field);
  if (!Number.isInteger(start) || !Number.isInteger(end) || !(step > 0)) return [];
  return Array.from({ length: Math.max(0, Math.floor((end - start) / step) + 1) }, (_, index) => start + index * step);
}

const parseField = (text: string, field: Field): ReadonlySet<number> =>
  new Set(text.split(',').flatMap((part) => parsePart(part, field)));

/** Reads a schedule; undefined when it is none. */
export function parseSchedule(text: string): Schedule | undefined {
  const fields = (shorthands[text.trim()] ?? text).trim().split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined)
    return undefined;
  if (fields.length !== 5) return undefined;
  const weekdays = parseField(weekday, { low: 0, high: 7, names: dayNames });
  const restricted = (field: string): boolean => !field.startsWith('*') && !field.startsWith('?');
  const schedule = {
    minutes: parseField(minute, { low: 0, high: 59 }),
    hours: parseField(hour, { low: 0, high: 23 }),
    days: parseField(day, { low: 1, high: 31 }),
    months: parseField(month, { low: 1, high: 12, names: monthNames }),
    weekdays: weekdays.has(7) ? new Set([...weekdays, 0]) : weekdays,
    eitherDay: restricted(day) && restricted(weekday),
  };
  const sets = [schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays];
  return sets.every((set) => set.size > 0) ? schedule : undefined;
}

function dayFits(schedule: Schedule, time: Date): boolean {
  const [day, weekday] = [schedule.days.has(time.getUTCDate()), schedule.weekdays.has(time.getUTCDay())];
  return schedule.eitherDay ? day || weekday : day && weekday;
}

/** No schedule repeats more rarely than this; one that never comes is given up. */
const horizonDays = 366 * 5;

/** The first clock face after a given one at which a schedule is due, both written as if in UTC. */
function nextFace(schedule: Schedule, after: Date): Date | undefined {
  const time = new Date(after.getTime());
  time.setUTCSeconds(0, 0);
  time.setUTCMinutes(time.getUTCMinutes() + 1);
  for (let days = 0; days < horizonDays; days++) {
    if (schedule.months.has(time.getUTCMonth() + 1) && dayFits(schedule, time)) {
      const start = time.getUTCHours() * 60 + time.getUTCMinutes();
      for (let minute = start; minute < 1440; minute++)
        if (schedule.hours.has(Math.floor(minute / 60)) && schedule.minutes.has(minute % 60)) {
          time.setUTCHours(Math.floor(minute / 60), minute % 60);
          return time;
        }
    }
    time.setUTCHours(24, 0, 0, 0);
  }
  return undefined;
}

/** The longest time by which clocks are put back. */
const putBackMs = 3 * 3_600_000;

const minuteMs = 60_000;

/** What the clocks of a zone show, written as if in UTC. */
const faceOf = (time: Date, offset: (time: Date) => number): Date => new Date(time.getTime() + offset(time));

/** Where clocks are about to be put back, hours come twice: every minute is looked at. */
function dueWhilePutBack(schedule: Schedule, after: Date, offset: (time: Date) => number): Date | undefined {
  if (offset(after) <= offset(new Date(after.getTime() + putBackMs))) return undefined;
  const first = Math.floor(after.getTime() / minuteMs) * minuteMs + minuteMs;
  for (let time = first; time < first + putBackMs; time += minuteMs) {
    const face = faceOf(new Date(time), offset);
    if (nextFace(schedule, new Date(face.getTime() - minuteMs))?.getTime() === face.getTime()) return new Date(time);
  }
  return undefined;
}

/**
 * The first time after a given one at which a schedule is due by the clocks of a zone (see `offsetIn`); undefined when
 * there is none within five years. What clocks leave out when they are put forward is left out.
 */
export function nextTime(schedule: Schedule, after: Date, offset: (time: Date) => number = () => 0): Date | undefined {
  const twice = dueWhilePutBack(schedule, after, offset);
  if (twice !== undefined) return twice;
  let last = faceOf(after, offset);
  // A face that no clock shows is followed by one that it does show.
  for (let tries = 0; tries < 100; tries++) {
    const face = nextFace(schedule, last);
    if (face === undefined) return undefined;
    const wanted = face.getTime();
    const offsets = [-1, 1].map((sign) => offset(new Date(wanted + sign * 86_400_000)));
    const times = offsets
      .map((one) => new Date(wanted - one))
      .filter((time) => time > after && faceOf(time, offset).getTime() === wanted)
      .sort((a, b) => a.getTime() - b.getTime());
    if (times[0] !== undefined) return times[0];
    last = face;
  }
  return undefined;
}
