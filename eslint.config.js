import tseslint from 'typescript-eslint';

/** Functions of the client that change a cluster: the engine reaches them only through ClusterWriter (docs/adr). */
const mutatingClientCalls = ['create', 'replace', 'patch', 'apply', 'delete', 'deleteCollection', 'createSubresource'];

export default tseslint.config(
  // Declarations of what a library leaves untyped follow the library's own form.
  {
    ignores: [
      '**/*.d.ts',
      '**/*.d.mts',
      'node_modules/',
      '.cache/',
      'dist/',
      '**/generated/',
      '**/*.generated.ts',
      '**/testdata/',
      'examples/',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-params': ['error', 3],
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // A promise of nothing is written Promise.withResolvers<void>().
      '@typescript-eslint/no-invalid-void-type': 'off',
      // `const { field: _, ...rest } = object` is how a field is left out.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'The environment is read in packages/tiphys/src/config.ts only.',
        },
        { object: 'JSON', property: 'parse', message: 'Objects go through the codec of @tiphys/api.' },
      ],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' }],
    },
  },
  {
    files: ['packages/engine/src/**/*.ts'],
    ignores: ['packages/engine/src/sync/write/**', '**/*.test.ts', '**/*.suite.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        {
          selector: `CallExpression[callee.object.name=/^(client|kube)$/][callee.property.name=/^(${mutatingClientCalls.join('|')})$/]`,
          message: 'Clusters are changed through ClusterWriter only.',
        },
      ],
    },
  },
  {
    files: ['packages/api/src/json.ts', 'packages/tiphys/src/config.ts'],
    rules: {
      // The codec itself, and the one reader of the environment.
      'no-restricted-properties': 'off',
    },
  },
  {
    files: ['**/*.test.ts', '**/*.suite.ts', 'test/**/*.ts', 'bench/**/*.ts', 'tools/**/*.ts'],
    rules: {
      // node:test's describe/test return promises that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': 'off',
      // A test file is one table after another; its length says nothing about its clarity.
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      'no-console': 'off',
      'no-restricted-properties': 'off',
      // Assertions stand for the checks that production code makes at its edges.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
