export { commandReference } from './command-reference.ts';
export { connectToCluster } from './connect.ts';
export type { CliIo, CliSettings, ConnectionFlags, GitProgram, RenderTools, TextSink } from './io.ts';
export type { ConnectionSettings } from './open-client.ts';
export { runCli } from './run-cli.ts';
