import js from '@eslint/js'

const NODE = ['process', 'setImmediate', 'Buffer']
const BOTH = [
  'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'console', 'fetch', 'TextEncoder', 'TextDecoder',
  'AbortController', 'AbortSignal', 'URL', 'URLSearchParams', 'crypto', 'Response', 'ReadableStream'
]
const globals = (/** @type {string[]} */ names) => Object.fromEntries(names.map((name) => [name, 'readonly']))

export default [
  { ignores: ['types/', 'node_modules/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 'latest', sourceType: 'module', globals: globals([...BOTH, ...NODE]) },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['warn'] }],
      'no-shadow': 'error',
      'no-unused-expressions': ['error', { allowTernary: true }],
      'no-var': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', 500]
    }
  },
  { files: ['test/**', 'examples/**', 'bench/**'], rules: { 'no-console': 'off' } },
  // What browsers get has neither Node's modules nor its globals.
  {
    files: ['src/http/**', 'src/batcher/**', 'src/commands/**', 'src/alerts/alert.js', 'src/errors.js', 'src/names.js', 'src/values.js', 'src/warn.js'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['node:*'] }], 'no-restricted-globals': ['error', 'Buffer', 'process'] }
  }
]
