import { type Application, canonicalJson, isCoded } from '@tiphys/api';
import { sourceFields, specSources } from './sources.ts';

/** A comparison whose source could not be read. */
export type SourceFailure = Readonly<{
  error: unknown;
  /** Somebody asked for the comparison, and wants its answer. */
  asked: boolean;
  /** Since when the source cannot be read. */
  sinceMs: number;
}>;

/** Failures of repositories and tools that may pass by themselves; one of the cluster, or of what is in Git, is told at once. */
export const mayPass = (error: unknown): boolean =>
  isCoded(error) && /^(?:git|remote|render)\//.test(error.code) && error.policy.retry === 'backoff';

/** Whether the stored verdict is of the sources that the spec names now. */
function hasVerdict(application: Application): boolean {
  const { status = 'Unknown', comparedTo } = application.status?.sync ?? {};
  if (status === 'Unknown' || comparedTo === undefined) return false;
  const wanted = sourceFields(application, specSources(application));
  const { source, sources } = comparedTo;
  return canonicalJson(wanted.sources ?? [wanted.source]) === canonicalJson(sources ?? [source]);
}

/**
 * Until when a failure leaves the last verdict in place (contract 3.7, `controller.repo.error.grace.period.seconds`); undefined when
 * it is to be told: nothing good is known of these sources, the failure will not pass by itself, or it has lasted too long.
 */
export function toleratedUntil(
  application: Application,
  { error, asked, sinceMs }: SourceFailure,
  { graceMs, nowMs }: Readonly<{ graceMs: number; nowMs: number }>,
): Date | undefined {
  const endMs = sinceMs + graceMs;
  return !asked && nowMs < endMs && mayPass(error) && hasVerdict(application) ? new Date(endMs) : undefined;
}
