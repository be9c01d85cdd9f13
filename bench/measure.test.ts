import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFigure, difference, median, startMeasured } from './measure.ts';

const yardstick = { name: 'bare start of node', value: 40, unit: 'ms' };

test('CPU time and memory are those of the child', async () => {
  const lines: string[] = [];
  const burn =
    'const end = performance.now() + 300; while (performance.now() < end); console.log("done"); setInterval(() => {}, 1e6)';
  const child = await startMeasured(process.execPath, ['--eval', burn], { onLine: (line) => lines.push(line) });
  const before = child.usage();
  while (!lines.includes('done')) await new Promise((resolve) => setTimeout(resolve, 20));
  const used = difference(before, child.usage());
  await child.stop();
  assert.ok(used.cpuMs >= 100 && used.cpuMs < 5000, `${used.cpuMs} ms`);
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
