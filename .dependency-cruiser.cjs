/** The import walls of ARCHITECTURE.md. Each package may import only what stands below it. */
const below = {
  api: [],
  language: ['api'],
  remote: ['api'],
  kube: ['api'],
  'kube-sim': ['api', 'language'],
  engine: ['api', 'kube', 'language', 'remote'],
  operations: ['api', 'kube', 'engine', 'language'],
  controllers: ['api', 'kube', 'engine', 'operations', 'remote', 'language'],
  server: ['api', 'kube', 'operations', 'engine', 'language'],
  cli: ['api', 'kube', 'operations', 'engine'],
  ui: ['api'],
  tiphys: ['api', 'language', 'remote', 'kube', 'kube-sim', 'engine', 'operations', 'controllers', 'server', 'cli'],
};

const walls = Object.entries(below).map(([name, allowed]) => ({
  name: `${name}-imports-only-what-is-below`,
  severity: 'error',
  from: { path: `^packages/${name}/src/`, pathNot: '\\.(test|suite)\\.ts$' },
  to: { path: '^packages/', pathNot: [`^packages/${name}/`, ...allowed.map((n) => `^packages/${n}/src/index\\.ts$`)] },
}));

module.exports = {
  forbidden: [
    ...walls,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'tests-use-doors',
      comment: 'A test may import any package, but through its index like everybody else.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/.*\\.(test|suite)\\.ts$' },
      to: { path: '^packages/[^/]+/src/', pathNot: ['^packages/$1/', '^packages/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'read-half-only',
      comment: 'The live side of the engine is reached through kube; git and render see no cluster.',
      severity: 'error',
      from: { path: '^packages/engine/src/(git|render)/' },
      to: { path: '^packages/kube/' },
    },
    {
      name: 'only-kube-opens-cluster-connections',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/(kube|remote)/' },
      to: { path: 'node_modules/(undici|ws)/' },
    },
    {
      name: 'only-kube-and-remote-speak-http',
      comment: 'Where a connection may lead is decided in one place each; kube-sim is a server.',
      severity: 'error',
      from: {
        path: '^packages/',
        pathNot: ['^packages/(kube|kube-sim|remote)/', '\\.(test|suite)\\.ts$', '/testing/'],
      },
      to: { path: '^(?:node:)?(?:https?|http2|tls|dgram)$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
