import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRuleEnvironment } from './cel-rules.ts';

test('lists.range gives what is asked for, and refuses what no server would hold', () => {
  const evaluate = (rule: string): unknown => createRuleEnvironment().evaluate(rule);
  assert.equal(evaluate('lists.range(3) == [0, 1, 2] && lists.range(0) == []'), true);
  for (const end of ['-1', '4294967295', '9007199254740993'])
    assert.throws(() => evaluate(`lists.range(${end}).size() > 0`), /lists\.range: .*at most 1000000/, end);
});
