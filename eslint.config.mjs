// The rules of the house: typed lint, and the import order of docs/architecture.md.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { importX, createNodeResolver } from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';

/** Imports point only to rooms earlier in this list; the faces come last. */
const ROOMS = [
  'server/src/address',
  'server/src/x86',
  'server/emulator',
  'server/src/text',
  'server/src/machine',
  'server/src/devices',
  'server/src/vmm',
  'server/src/memory-map',
  'server/src/checks',
  'server/src/simulation',
  'server/src/crash',
  'server/src/picture',
  'server/src/features',
  'server/src/output',
];
const FACES = [
  'server/src/protocol.ts',
  'server/src/service.ts',
  'server/src/worker.ts',
  'server/src/server.ts',
  'server/src/cli.ts',
];

const zones = ROOMS.map((room, index) => ({
  target: `./${room}`,
  from: [...ROOMS.slice(index + 1), ...FACES, 'client'].map((later) => `./${later}`),
  message: `${room} may import earlier rooms only (docs/architecture.md).`,
}));

const PURE = ROOMS.map((room) => `${room}/**/*.ts`);

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'server/emulator/assembly/**',
      '.vscode-test/**',
      'docs/**',
      'examples/**',
      'coverage/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver(), createNodeResolver()] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'zod', message: "import * as z from 'zod/mini' (443 KB less)." }] },
      ],
    },
  },
  {
    files: PURE,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['node:*', 'fs', 'path', 'os'],
              message: 'Pure rooms read no files: take texts and bytes.',
            },
            {
              group: ['vscode', 'vscode-languageserver', 'vscode-languageserver/*'],
              message: 'Pure rooms know no protocol.',
              allowTypeImports: true,
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'fetch',
          'performance',
          'structuredClone',
          'document',
          'window',
          'getComputedStyle',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
