import { type Application, timeText } from '@tiphys/api';
import type { CommandContext } from '../../context.ts';
import { openProgress } from '../../output/progress.ts';
import { formatTable } from '../../output/table.ts';
import { resourceHeader, resourceRows } from './describe.ts';

/** Prints what becomes of an application's objects while it is waited for: a row whenever one changes. */
export type Follower = Readonly<{
  see: (application: Application | undefined) => void;
  /** Shows how far it is, without rows: for what was there before. */
  glance: (application: Application | undefined) => void;
  end: () => void;
}>;

const hookColumn = resourceHeader.indexOf('HOOK');
const minimum = [25, 10, 12, 14, 28, 10, 12, 10];

/** Columns do not move while rows come one by one, so they have a least width instead of one that fits all. */
const steady = (cells: readonly string[]): readonly string[] =>
  cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(minimum[column] ?? 0)));

/** `rows`: print a row for each change; `quiet`: only the line on a terminal. */
export function openFollower(context: CommandContext, mode: 'rows' | 'quiet'): Follower {
  const { io, style, print } = context;
  const progress = openProgress(io);
  const printed = new Map<string, string>();
  const emit = (row: readonly string[]): void => {
    progress.clear();
    print(formatTable([steady(row)]));
  };
  const glance = (application: Application | undefined): void => {
    if (application !== undefined) progress.show(lineOf(application));
  };
  const see = (application: Application | undefined): void => {
    if (application === undefined) return;
    for (const row of mode === 'rows' ? resourceRows(application, style) : []) {
      const [group = '', kind = '', namespace = '', name = '', ...state] = row;
      // A hook of two phases has a row for each.
      const key = [group, kind, namespace, name, row[hookColumn]].join('/');
      const text = state.join('\t');
      if (printed.get(key) === text) continue;
      if (printed.size === 0) emit(['TIMESTAMP', ...resourceHeader]);
      printed.set(key, text);
      emit([timeText(io.clock.now()), ...row]);
    }
    glance(application);
  };
  return { see, glance, end: progress.clear };
}

function lineOf({ metadata, status, operation }: Application): string {
  const state = status?.operationState;
  const results = state?.syncResult?.resources ?? [];
  const phase = operation !== undefined && state?.phase !== 'Running' ? 'Requested' : (state?.phase ?? '');
  const parts = [
    status?.sync?.status,
    status?.health?.status,
    phase === '' ? undefined : `operation ${phase}`,
    state?.phase === 'Running' && results.length > 0 ? `${results.length} objects` : undefined,
    state?.phase === 'Running' ? state.message : status?.waitingFor?.[0]?.message,
  ];
  return `${metadata.name ?? ''}: ${parts.filter((part) => part !== undefined && part !== '').join(', ')}`;
}
