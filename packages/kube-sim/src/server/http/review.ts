import { isRecord, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { permission, rulesFor, type Attempt } from '../authorization/rules.ts';
import { timeText } from '../cluster.ts';
import { badRequest } from '../../schema/status-error.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { userOf, type Authenticator } from './authenticate.ts';
import type { User } from './exchange.ts';

/** What a review is answered from. `namespace` is that of the path. */
export type ReviewContext = Readonly<{
  user: User;
  authenticator: Authenticator;
  store: ObjectStore;
  namespace: string;
  now: Date;
}>;

const userInfo = ({ name, uid, groups, extra }: User): Record<string, unknown> => ({
  username: name,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra !== undefined && { extra }),
});

function attemptOf(body: unknown, namespace: string | undefined): Attempt {
  const spec = isRecord(body) ? body['spec'] : undefined;
  const path = stringAt(spec, 'nonResourceAttributes', 'path');
  if (path !== undefined) return { kind: 'path', path, verb: stringAt(spec, 'nonResourceAttributes', 'verb') ?? '' };
  const field = (name: string): string => stringAt(spec, 'resourceAttributes', name) ?? '';
  const own = field('namespace');
  if (namespace !== undefined && own !== namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
  return {
    kind: 'resource',
    verb: field('verb'),
    group: field('group'),
    resource: field('resource'),
    subresource: field('subresource'),
    namespace: own,
    name: field('name'),
  };
}

function verdict(store: ObjectStore, user: User, attempt: Attempt): Record<string, unknown> {
  const { allowed, why } = permission(store, user, attempt);
  return { allowed, ...(why !== '' && { reason: why }) };
}

const askedUser = (body: unknown): User => ({
  name: stringAt(body, 'spec', 'user') ?? '',
  groups: listAt(body, 'spec', 'groups').map(String),
});

type Answer = (body: Record<string, unknown>, context: ReviewContext) => unknown;

/** How the kinds that are only asked, never stored, are answered; by plural. */
const answers: Readonly<Record<string, Answer>> = {
  subjectaccessreviews: (body, { store }) => verdict(store, askedUser(body), attemptOf(body, undefined)),
  localsubjectaccessreviews: (body, { store, namespace }) =>
    verdict(store, askedUser(body), attemptOf(body, namespace)),
  selfsubjectaccessreviews: (body, { store, user }) => verdict(store, user, attemptOf(body, undefined)),
  selfsubjectrulesreviews: (body, { store, user }) => {
    const rules = rulesFor(store, user, stringAt(body, 'spec', 'namespace') ?? '');
    return {
      incomplete: false,
      nonResourceRules: rules.filter((rule) => listAt(rule, 'nonResourceURLs').length > 0),
      resourceRules: rules.filter((rule) => listAt(rule, 'resources').length > 0),
    };
  },
  selfsubjectreviews: (_body, { user }) => ({ userInfo: userInfo(user) }),
  tokenreviews: (body, { authenticator }) => {
    const user = userOf(stringAt(body, 'spec', 'token') ?? '', authenticator);
    if (user === undefined) return { user: {}, error: '[invalid bearer token]' };
    return { authenticated: true, user: userInfo(user) };
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
    metadata: {
      ...(isRecord(metadata) && metadata),
      ...(plural === 'selfsubjectreviews' && { creationTimestamp: timeText(context.now) }),
    },
    status: answer(body, context),
  };
}
