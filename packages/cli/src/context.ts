import type { Actor, OperationPorts } from '@tiphys/operations';
import type { CliIo } from './io.ts';
import type { Style } from './output/style.ts';

/** What a command may use. The cluster is connected to when `ports` is first asked for. */
export type CommandContext = Readonly<{
  io: CliIo;
  actor: Actor;
  signal: AbortSignal;
  style: Style;
  ports: () => Promise<OperationPorts>;
  /** Writes to standard output. */
  print: (text: string) => void;
  /** Writes a line to standard error. */
  notice: (line: string) => void;
}>;
