// The rules of the house: typed lint, and the import order of docs/architecture.md.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { roomsRule } from './test/scripts/roomsRule.mjs';

/** Imports point only to rooms earlier in this list; the faces (files of server/src itself, cli/) may import all. */
const ROOMS = [
  'server/src/address',
  'server/src/x86',
  'server/emulator',
  'server/src/text',
  'server/src/machine',
  'server/src/devices',
  'server/src/vmm',
  'server/src/memory-map',
  'server/src/boot-plan',
  'server/src/checks',
  'server/src/simulation',
  'server/src/crash',
  'server/src/picture',
  'server/src/features',
  'server/src/output',
];
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
    plugins: { bootpath: { rules: { rooms: roomsRule(import.meta.dirname, ROOMS) } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'bootpath/rooms': 'error',
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
