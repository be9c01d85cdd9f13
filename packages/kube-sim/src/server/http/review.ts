import { isRecord, stringAt, type KubeObject } from '@tiphys/api';
import type { Tokens } from './authenticate.ts';
import type { User } from './exchange.ts';

/** What a review is answered from. */
export type ReviewContext = Readonly<{ user: User; tokens: Tokens }>;

const userInfo = (user: User): Record<string, unknown> => ({
  username: user.name,
  groups: [...user.groups, 'system:authenticated'],
});

const allowed = { allowed: true, reason: 'every authenticated user may do everything in the embedded cluster' };

/** How the kinds that are only asked, never stored, are answered; by plural. */
const answers: Readonly<Record<string, (body: Record<string, unknown>, context: ReviewContext) => unknown>> = {
  subjectaccessreviews: () => allowed,
  selfsubjectaccessreviews: () => allowed,
  localsubjectaccessreviews: () => allowed,
  selfsubjectrulesreviews: () => ({
    incomplete: false,
    nonResourceRules: [{ nonResourceURLs: ['*'], verbs: ['*'] }],
    resourceRules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  }),
  selfsubjectreviews: (_body, { user }) => ({ userInfo: userInfo(user) }),
  tokenreviews: (body, { tokens }) => {
    const user = tokens.get(stringAt(body, 'spec', 'token') ?? '');
    return user === undefined ? { user: {} } : { authenticated: true, user: userInfo(user) };
  },
};

/** The answer to a review; undefined when the resource is not one. */
export function answerReview(plural: string, body: unknown, context: ReviewContext): KubeObject | undefined {
  const answer = answers[plural];
  if (answer === undefined || !isRecord(body)) return undefined;
  const { apiVersion, kind, metadata } = body;
  return {
    ...body,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    kind: typeof kind === 'string' ? kind : '',
    metadata: isRecord(metadata) ? metadata : {},
    status: answer(body, context),
  };
}
