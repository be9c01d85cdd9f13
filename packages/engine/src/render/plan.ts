import type { Decoded } from './decode/decoder.ts';
import type { Reads } from './read-set.ts';
import type { SourceType } from './types.ts';

/** Folders of a run: where each of the reads was written, and one for what the run itself needs. */
export type Workspace = Readonly<{
  /** Writes the reads out, once; the folder of each by its place in the list. */
  materialise: () => Promise<readonly string[]>;
  /** Private to the run, empty at first. */
  home: string;
}>;

/** How a tool's run ended, where the tool may have failed for want of a file. */
export type PlanResult = ({ kind: 'objects' } & Decoded) | { kind: 'failed'; error: Error; missesFile: boolean };

/** One source, ready to be rendered: all that the render will see, and how it is run. */
export type Plan = Readonly<{
  sourceType: SourceType;
  /** Everything besides files that shapes the result: part of the key. */
  sees: unknown;
  /** Presumed read-sets from narrow to wide. A run that lacks a file is tried again with the next one. */
  candidates: readonly (() => Promise<readonly Reads[]>)[];
  /** Paths whose change is a reason to render anew although the run does not read them. */
  watched: readonly Reads[];
  /** How long the result may be used when it does not hang on files alone (values from a URL); undefined: for ever. */
  freshMs?: number | undefined;
  run: (reads: readonly Reads[], workspace: Workspace, signal: AbortSignal) => Promise<PlanResult>;
}>;
