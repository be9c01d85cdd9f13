export { commandReference } from './command-reference.ts';
export { connectToCluster, type ConnectionSettings } from './connect.ts';
export type { CliIo, CliSettings, ConnectionFlags, GitProgram, RenderTools, TextSink } from './io.ts';
export { runCli } from './run-cli.ts';
