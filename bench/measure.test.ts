import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuMsOf, describeFigure, difference, median, startMeasured } from './measure.ts';

/** Works for 300 ms of CPU time, however long that takes beside others. */
const burn =
  'const used = () => { const { user, system } = process.cpuUsage(); return user + system; }; const end = used() + 300e3; while (used() < end);';
const yardstick = { name: 'bare start of node', value: 40, unit: 'ms' };

test('CPU time and memory are those of the child', async () => {
  const lines: string[] = [];
  const wait = 'console.log("done"); setInterval(() => {}, 1e6)';
  const child = await startMeasured(process.execPath, ['--eval', burn + wait], { onLine: (line) => lines.push(line) });
  const before = child.usage();
  while (!lines.includes('done')) await new Promise((resolve) => setTimeout(resolve, 20));
  const used = difference(before, child.usage());
  await child.stop();
  assert.ok(used.cpuMs >= 200 && used.cpuMs < 5000, `${used.cpuMs} ms`);
  assert.ok(used.peakRssBytes > 20e6, `${used.peakRssBytes} bytes`);
});

test('a figure is printed with its yardstick, the ratio and the aim', () => {
  assert.equal(
    describeFigure({ claim: 'list of 1,000', value: 120, unit: 'ms', yardstick, atMost: 150 }),
    'list of 1,000: 120 ms (bare start of node: 40.0 ms, ratio 3.00); aim: at most 150 ms, met',
  );
  assert.match(
    describeFigure({ claim: 'memory', value: 300, unit: 'MB', yardstick, atMost: 250 }),
    /40\.0 ms\); aim: .* MISSED$/,
  );
});

test('the median of an even and an odd number of runs', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('CPU time of one run of a program', () => {
  const idle = 'setTimeout(() => {}, 600)';
  const busy = cpuMsOf(process.execPath, ['--eval', burn]);
  assert.ok(busy >= 200 && busy < 5000, `${busy} ms`);
  assert.ok(cpuMsOf(process.execPath, ['--eval', idle]) > 0);
  assert.throws(() => cpuMsOf(process.execPath, ['--eval', 'process.exit(3)']), /ended with 3/);
});
