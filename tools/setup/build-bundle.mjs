// Run by bundle.mjs with the pinned Node, whose platform's esbuild is installed. Takes the folder for the program, prints its inputs.
import { build } from 'esbuild';
import { root } from './paths.mjs';

/** Modules that every Node process has loaded when the program starts. */
const started = ['node:buffer', 'node:events', 'node:fs', 'node:path', 'node:url', 'node:util'];

/**
 * A module of Node as an object. By inheritance, so that nobody reads its names to copy them; one that is not there yet is loaded when
 * its first name is used. A module that is a function, or that may be written to, is taken as it is.
 */
function objectOf(name) {
  const found = `process.getBuiltinModule(${JSON.stringify(name)})`;
  if (name === 'node:process' || typeof process.getBuiltinModule(name) === 'function') return found;
  return `Object.create(${started.includes(name) ? found : `new Proxy({}, { get: (_, key) => ${found}[key] })`})`;
}

/**
 * Modules of Node are not imported: an import of `node:http` makes Node read each of its names, and behind some of them (`WebSocket`)
 * are large parts of Node that nobody asked for. One tiny module for each importer, so that it lies in its chunk.
 */
const builtins = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ kind, path, importer }) =>
      kind === 'import-statement'
        ? { path, suffix: `?${importer}`, namespace: 'builtin', pluginData: path, sideEffects: false }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ pluginData }) => ({
      contents: `module.exports = ${objectOf(pluginData)};`,
    }));
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  // The decode worker is a program of its own, which the renderer starts from beside the bundled one.
  entryPoints: {
    main: 'packages/tiphys/src/main.ts',
    'decode-worker': 'packages/engine/src/render/decode/worker.ts',
  },
  plugins: [builtins],
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outdir: process.argv[2],
  outExtension: { '.js': '.mjs' },
  metafile: true,
  // CommonJS packages in it require modules of Node and nothing else.
  banner: { js: 'const require = process.getBuiltinModule;' },
  logLevel: 'silent',
});

const isInput = (path) => !path.startsWith('builtin:');
const { inputs, outputs } = metafile;

const entry = 'packages/tiphys/src/main.ts';
const commandLine = 'packages/tiphys/src/roles/command-line.ts';
const commandFile = /^packages\/cli\/src\/commands\/(.+)\.ts$/;
/** What is loaded when it is asked for: of roles and of commands a process runs one. */
const loaded = Object.values(outputs).flatMap(({ entryPoint }) => entryPoint ?? []);
const roles = loaded.filter((path) => path.startsWith('packages/tiphys/src/roles/'));
const commands = loaded.filter((path) => commandFile.test(path));

/** The files that can be reached from the program's entry when it runs one command. */
function reachableFor(command) {
  const seen = new Set([...roles, ...commands].filter((path) => path !== commandLine && path !== command));
  const others = seen.size;
  const visit = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const imported of inputs[path]?.imports ?? []) if (!imported.external) visit(imported.path);
  };
  visit(entry);
  return [...seen].slice(others).filter(isInput);
}

const ownFiles = ['tools/setup/build-bundle.mjs', 'package-lock.json'];
const parts = commands.map((path) => [
  commandFile.exec(path)[1].replace('/', ' '),
  [...ownFiles, ...reachableFor(path)],
]);
const all = [...ownFiles, ...Object.keys(inputs).filter(isInput)];
process.stdout.write(JSON.stringify(Object.fromEntries([...parts, ['all', all]])));
