import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';

// Workflow code is replayed, so it must not reach the machine it runs on.
const forbiddenInWorkflows = {
  patterns: [
    {
      group: ['node:*', ...builtinModules.filter((name) => !name.startsWith('_'))],
      message: 'Workflow code is deterministic: no Node built-ins.',
    },
    {
      group: ['@temporalio/worker', '@temporalio/activity', '@temporalio/client', 'onnxruntime-node', 'apache-arrow'],
      message: 'Workflow code may only import @temporalio/workflow, @temporalio/common and contract/.',
    },
    {
      regex: '^\\.\\./(?!contract/)',
      allowTypeImports: true,
      message: 'Workflow code imports values from contract/ only; everything else as types.',
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'test/fixtures/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [
        { name: 'ts-as-js', interfaceVersion: 3, resolve: (await import('./scripts/eslint-resolver.mjs')).resolve },
      ],
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'import-x/no-cycle': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', forbiddenInWorkflows],
      'no-restricted-globals': ['error', 'process', 'setInterval', 'fetch', 'Buffer', 'performance'],
    },
  },
  {
    files: ['src/contract/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['../*', 'node:*'], message: 'contract/ is shared by every side and imports nothing else.' },
          ],
        },
      ],
    },
  },
);
