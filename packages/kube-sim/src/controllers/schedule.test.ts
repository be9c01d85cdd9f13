import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offsetIn } from '../schema/time-zone.ts';
import { nextTime, parseSchedule } from './schedule.ts';

const cases: readonly (readonly [schedule: string, zone: string | undefined, after: string, next: string])[] = [
  ['30 8 * * *', undefined, '2026-06-01T08:30:00Z', '2026-06-02T08:30:00.000Z'],
  ['30 8 * * *', 'Europe/Berlin', '2026-06-01T06:00:00Z', '2026-06-01T06:30:00.000Z'],
  ['30 8 * * *', 'Europe/Berlin', '2026-12-01T06:00:00Z', '2026-12-01T07:30:00.000Z'],
  ['0 0 1 * *', 'America/New_York', '2026-06-01T03:00:00Z', '2026-06-01T04:00:00.000Z'],
  ['0 9 * * MON', 'Asia/Kolkata', '2026-06-01T03:30:00Z', '2026-06-08T03:30:00.000Z'],
  // On 2026-03-29 the clocks of Berlin go from 2:00 to 3:00: there is no half past two.
  ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T00:30:00.000Z'],
  // On 2026-10-25 they go back from 3:00 to 2:00: half past two comes twice.
  ['30 * * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00.000Z'],
];

test('a schedule is due by the clocks of its time zone', () => {
  for (const [text, zone, after, next] of cases) {
    const schedule = parseSchedule(text);
    assert.ok(schedule !== undefined);
    assert.equal(
      nextTime(schedule, new Date(after), offsetIn(zone))?.toISOString(),
      next,
      `${text} in ${zone ?? 'UTC'}`,
    );
  }
});
