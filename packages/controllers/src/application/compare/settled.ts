import { chartOf, projectOf } from '@tiphys/api';
import type { Settled } from '../application-memory.ts';
import type { Pass } from '../context.ts';
import type { Compared } from '../status/describe-status.ts';

/** After so many intervals there is a comparison all the same: it would catch a change that no watch told. */
const mostIntervals = 10;

/** What a pass leaves behind when there is nothing more to do; undefined when it rests on more than what is watched. */
export async function settle(pass: Pass, compared: Compared): Promise<Settled | undefined> {
  if (compared.kind === 'failed' || compared.status === 'Unknown') return undefined;
  if (!compared.comparison.rendered.lasting) return undefined;
  if (compared.sources.some(({ source }) => chartOf(source) !== undefined)) return undefined;
  const { context, application, signal } = pass;
  const destination = context.destinations.find(application.spec.destination);
  if (!destination.live.complete) return undefined;
  const facts = await destination.live.facts(signal);
  const { resourceVersion = '' } = pass.stored.raw.metadata;
  return { resourceVersion, compared, destination, facts, intervals: 0 };
}

/** Whether nothing that the last comparison rests on is another: commits, cluster, project, and what is stored. */
export async function isSettled(pass: Pass, settled: Settled): Promise<boolean> {
  const { context, application, stored, memory, signal } = pass;
  const { destination, compared } = settled;
  if (settled.intervals >= mostIntervals || stored.raw.metadata.resourceVersion !== settled.resourceVersion)
    return false;
  if (memory.marks.live !== undefined || memory.marks.revision !== undefined) return false;
  if (!context.hasProject(projectOf(application.spec))) return false;
  if (!context.destinations.isRegistered(application.spec.destination)) return false;
  if (context.destinations.find(application.spec.destination) !== destination || !destination.live.complete)
    return false;
  return (
    context.isNewest(compared.sources, compared.comparison.revisions) &&
    (await destination.live.facts(signal)) === settled.facts
  );
}
