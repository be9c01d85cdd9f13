// Runs on any Node from 18, with no dependency: it is what makes the rest of the repository runnable.
const major = Number(process.versions.node.split('.')[0]);
if (major < 18) {
  process.stderr.write(
    `Node ${process.version} is too old even for the set-up. Install Node 24 (18 is the least), then try again.\n`,
  );
  process.exit(1);
}

const { SetupError } = await import('./say.mjs');
const { prepare } = await import('./prepare.mjs');
const { commands } = await import('./commands.mjs');

const [name = '', ...args] = process.argv.slice(2);

try {
  if (name === '--print-tools') {
    process.stdout.write(`${JSON.stringify(await prepare(), null, 2)}\n`);
  } else if (Object.hasOwn(commands, name)) {
    process.exitCode = await commands[name](args, await prepare());
  } else {
    throw new SetupError(`Usage: node tools/setup/main.mjs ${Object.keys(commands).join('|')}|--print-tools`);
  }
} catch (error) {
  const plain = error instanceof SetupError;
  process.stderr.write(
    `\n${plain ? error.message : `The set-up failed: ${error instanceof Error ? error.message : String(error)}`}\n`,
  );
  if (!plain && process.env.TIPHYS_DEBUG !== undefined) process.stderr.write(`${error?.stack}\n`);
  process.exitCode = 1;
}
