import { condition, table } from './health-table.suite.ts';

const ready = (status: string): Record<string, unknown> => ({ status: condition('Ready', status, 'R', 'text') });

table(
  'HEALTH-23',
  ['cert-manager.io/v1', 'Certificate'],
  [
    ['new', {}, 'Progressing', /Waiting for certificate/],
    ['ready', ready('True'), 'Healthy', /text/],
    ['not ready', ready('False'), 'Degraded', /text/],
    [
      'being issued again',
      {
        status: {
          conditions: [
            { type: 'Ready', status: 'True', message: 'old' },
            { type: 'Issuing', status: 'True', message: 'renewing' },
          ],
        },
      },
      'Progressing',
      /renewing/,
    ],
  ],
);

for (const version of ['external-secrets.io/v1', 'external-secrets.io/v1beta1'])
  table(
    'HEALTH-23',
    [version, 'ExternalSecret'],
    [
      [`${version} new`, {}, 'Progressing', /Waiting for ExternalSecret/],
      [`${version} synced`, ready('True'), 'Healthy'],
      [`${version} failing`, ready('False'), 'Degraded', /text/],
    ],
  );

table(
  'HEALTH-23',
  ['bitnami.com/v1alpha1', 'SealedSecret'],
  [
    ['new', {}, 'Progressing', /decrypted/],
    ['opened', { status: condition('Synced', 'True') }, 'Healthy'],
    ['not to be opened', { status: condition('Synced', 'False', 'E', 'no key') }, 'Degraded', /no key/],
  ],
);

table(
  'HEALTH-23',
  ['argoproj.io/v1alpha1', 'AnalysisRun'],
  [
    ['new', {}, 'Progressing', /not been reconciled/],
    ['running', { status: { phase: 'Running' } }, 'Progressing', /is running/],
    ['passed', { status: { phase: 'Successful' } }, 'Healthy', /successfully/],
    ['failed', { status: { phase: 'Failed', message: 'latency' } }, 'Degraded', /latency/],
    ['undecided', { status: { phase: 'Inconclusive' } }, 'Unknown'],
    ['another phase', { status: { phase: 'X' } }, undefined],
  ],
);

const canary = { strategy: { canary: {} }, replicas: 2 };
const blueGreen = { strategy: { blueGreen: {} }, replicas: 1 };
const counts = (updated: number, available: number, replicas = updated): object => ({
  observedGeneration: '1',
  currentPodHash: 'h',
  updatedReplicas: updated,
  availableReplicas: available,
  replicas,
});

table(
  'HEALTH-23',
  ['argoproj.io/v1alpha1', 'Rollout'],
  [
    ['new', { spec: canary }, 'Progressing', /to be observed/],
    [
      'an older generation',
      { metadata: { generation: 3 }, spec: canary, status: { observedGeneration: '2' } },
      'Progressing',
    ],
    ['healthy by its own word', { spec: canary, status: { phase: 'Healthy' } }, 'Healthy'],
    ['paused by its own word', { spec: canary, status: { phase: 'Paused', message: 'step' } }, 'Suspended', /step/],
    [
      'degraded by its own word',
      { spec: canary, status: { phase: 'Degraded', message: 'abort' } },
      'Degraded',
      /abort/,
    ],
    ['aborted', { spec: canary, status: condition('Progressing', 'False', 'RolloutAborted', 'no') }, 'Degraded', /no/],
    ['invalid', { spec: canary, status: condition('InvalidSpec', 'True', 'X', 'bad') }, 'Degraded', /bad/],
    ['paused', { spec: { ...canary, paused: true }, status: {} }, 'Suspended', /paused/],
    ['paused by a step', { spec: canary, status: { pauseConditions: [{ reason: 'CanaryPauseStep' }] } }, 'Suspended'],
    ['not reconciled', { spec: canary, status: {} }, 'Progressing', /not been reconciled/],
    ['updating', { spec: canary, status: counts(1, 1) }, 'Progressing', /More replicas/],
    ['becoming available', { spec: canary, status: counts(2, 1) }, 'Progressing', /becoming available/],
    ['old replicas', { spec: canary, status: { ...counts(2, 2, 3), stableRS: 'h' } }, 'Progressing', /old replicas/],
    ['canary steps', { spec: canary, status: { ...counts(2, 2), stableRS: 'g' } }, 'Progressing', /steps/],
    ['canary done', { spec: canary, status: { ...counts(2, 2), stableRS: 'h' } }, 'Healthy'],
    ['cut over to come', { spec: blueGreen, status: counts(1, 1) }, 'Progressing', /cutover/],
    [
      'cut over, analysis to come',
      { spec: blueGreen, status: { ...counts(1, 1), blueGreen: { activeSelector: 'h' }, stableRS: 'g' } },
      'Progressing',
      /analysis/,
    ],
    [
      'cut over',
      { spec: blueGreen, status: { ...counts(1, 1), blueGreen: { activeSelector: 'h' }, stableRS: 'h' } },
      'Healthy',
    ],
  ],
);
