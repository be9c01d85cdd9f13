import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from './settings.ts';

const read = (cm: Record<string, string>) => {
  const { settings, warnings } = readSettings({ cm, params: {} });
  return { ...settings.compare, warnings };
};

test('DIFF-06 rules of the installation come from keys of group and kind', () => {
  const { ignore, warnings } = read({
    'resource.customizations.ignoreDifferences.all': 'jsonPointers: [/metadata/labels/touched]',
    'resource.customizations.ignoreDifferences.apps_Deployment': 'jsonPointers:\n- /spec/replicas',
    'resource.customizations.ignoreDifferences.ConfigMap': 'managedFieldsManagers: [helm]',
    'resource.customizations.ignoreDifferences.admissionregistration.k8s.io_MutatingWebhookConfiguration':
      'jqPathExpressions: [".webhooks[]?.clientConfig.caBundle"]',
    'resource.customizations':
      'batch/Job:\n  ignoreDifferences: |\n    jsonPointers: [/spec/suspend]\n  health.lua: return {}\n',
  });
  assert.deepEqual(ignore, [
    { group: 'batch', kind: 'Job', jsonPointers: ['/spec/suspend'] },
    { group: '*', kind: '*', jsonPointers: ['/metadata/labels/touched'] },
    { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] },
    { group: '', kind: 'ConfigMap', managedFieldsManagers: ['helm'] },
    {
      group: 'admissionregistration.k8s.io',
      kind: 'MutatingWebhookConfiguration',
      jqPathExpressions: ['.webhooks[]?.clientConfig.caBundle'],
    },
  ]);
  assert.deepEqual(warnings, []);
});

const optionCases: readonly (readonly [text: string, aggregated: boolean, status: string])[] = [
  ['', false, 'all'],
  ['ignoreAggregatedRoles: true', true, 'all'],
  ['ignoreResourceStatusField: crd', false, 'crd'],
  ['ignoreResourceStatusField: none', false, 'none'],
  ['ignoreResourceStatusField: off', false, 'none'],
  ['ignoreDifferencesOnResourceUpdates: true\nignoreResourceStatusField: all', false, 'all'],
];
for (const [text, ignoreAggregatedRoles, ignoreResourceStatusField] of optionCases)
  test(`DIFF-01 compare options: ${JSON.stringify(text)}`, () => {
    const { options, warnings } = read({ 'resource.compareoptions': text });
    assert.deepEqual(options, { ignoreAggregatedRoles, ignoreResourceStatusField });
    assert.deepEqual(warnings, []);
  });

const badCases: readonly (readonly [key: string, text: string, warning: RegExp])[] = [
  ['resource.compareoptions', 'ignoreAggregatedRoles: "yes"', /ignoreAggregatedRoles, which is neither true nor false/],
  ['resource.compareoptions', 'ignoreAggregatedRole: true', /did you mean ignoreAggregatedRoles\?/],
  ['resource.compareoptions', 'ignoreResourceStatusField: some', /none of all, crd, none/],
  ['resource.compareoptions', '[', /cannot be read and is passed over/],
  ['resource.customizations.health.argoproj.io_Rollout', 'return {}', /health.*not supported yet and has no effect/],
  ['resource.customizations', '- a', /is not a YAML mapping/],
  ['resource.customizations.ignoreDifferences.apps_Deployment', 'jsonPointer: [/a]', /did you mean jsonPointers\?/],
  ['resource.customizations.ignoreDifferences.all', 'jsonPointers: /a', /jsonPointers, which is not a list of texts/],
];
for (const [key, text, warning] of badCases)
  test(`DIFF-06 ${key} "${text}" is told and passed over`, () => {
    const { warnings, options, ignore } = read({ [key]: text });
    assert.match(warnings.join('\n'), warning);
    assert.deepEqual(options, { ignoreAggregatedRoles: false, ignoreResourceStatusField: 'all' });
    assert.ok(ignore.every(({ jsonPointers }) => jsonPointers === undefined));
  });
