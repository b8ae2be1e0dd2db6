import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

// The way of the data. A room imports from the ground floor and from rooms before it.
const rooms = ['prompt', 'provider', 'request', 'response', 'operators'];
const groundFloor = [
  'errors',
  'diagnostics',
  'turn',
  'provider-error',
  'events',
  'observe',
  'wire',
  'timers',
  'reasoning-details',
  'pausable-clock',
  'demand',
];

// Operators work on events, wherever those come from.
const roomsKnownTo = (room) => (room === 'operators' ? ['prompt'] : rooms.slice(0, rooms.indexOf(room)));

const noNode = {
  regex:
    '^node:|^(assert|buffer|child_process|crypto|events|fs|http|https|net|os|path|process|stream|tls|url|util)(/|$)',
  message: 'Browsers load this: Node stands only in src/node, src/mock-provider and the command line.',
};

const noPublished = {
  regex: '^\\.{1,2}/(.*/)?(testing|mock-provider|node|cli|cli-.*)(/|\\.js$)',
  message: 'What is published beside the library stands on it, never the other way round.',
};

const wayOfTheData = (room) => ({
  regex: `^\\.\\./(?!(${groundFloor.join('|')})\\.js$|(${[room, ...roomsKnownTo(room)].join('|')})/)`,
  message: `${room}/ imports from the ground floor and from: ${roomsKnownTo(room).join(', ') || 'no other room'}.`,
});

const onlyGroundFloor = {
  regex: `^\\./(?!(${groundFloor.join('|')})\\.js$)`,
  message: 'The ground floor stands on nothing but itself.',
};

const packages = (...allowed) => ({
  regex: `^(?!\\.{1,2}/|node:|(${allowed.join('|')})$)`,
  message: `Packages that stand here: ${allowed.join(', ')}.`,
});

const imports = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const promises = [
  { selector: ':function[async=true]', message: 'No promise in the pipeline: compose Observables.' },
  {
    selector: 'NewExpression[callee.name="Promise"]',
    message: 'No promise in the pipeline: use new Observable.',
  },
  {
    selector: 'MemberExpression[object.name="Promise"]',
    message: 'No promise in the pipeline: use forkJoin, of, race.',
  },
  {
    selector: 'CallExpression[callee.property.name="then"]',
    message: 'No promise in the pipeline: use from() at its edge.',
  },
  {
    selector: 'CallExpression[callee.name=/^(firstValueFrom|lastValueFrom)$/]',
    message: 'No promise in the pipeline.',
  },
];

const dynamicImport = {
  selector: 'ImportExpression',
  message: 'Only cross-fetch is loaded lazily, in request/fetch-transport.ts.',
};

const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame'].map(
  (name) => ({ name, message: 'Every timer of a turn stands on its scheduler.' }),
);

const nodeGlobals = ['process', 'Buffer', 'global', '__dirname', '__filename', 'require'].map((name) => ({
  name,
  message: 'Browsers have none.',
}));

const nodeFiles = ['src/cli*.ts', 'src/cli/**', 'src/mock-provider/**', 'src/node/**'];

export default tseslint.config(
  // The applications among the examples have compilers and rules of their own.
  {
    ignores: [
      'dist/',
      'coverage/',
      '**/node_modules/',
      '**/dist/',
      'docs/reference/',
      'examples/angular/src/',
      'examples/nest/src/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, rxjsX.configs.strict],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The method stays asynchronous where the interface asks for a promise, a throw included.
      '@typescript-eslint/require-await': 'off',
      // JavaScript callers and providers do not keep to the types, and unions of one member grow.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // The typed rule takes an error that a callback has set for `never`.
      '@typescript-eslint/only-throw-error': 'off',
      'no-throw-literal': 'error',
      // What was caught is passed on as it is.
      'rxjs-x/throw-error': ['error', { allowThrowingUnknown: true }],
      // A parameter that is used once can still say what the caller states or what is kept.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // `{ left, out, ...rest }` is how properties are left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // An operator with a state of its own asks that, not the value.
      'rxjs-x/no-ignored-takewhile-value': 'off',
      // The list replaces the rule's own; these subscribe to nothing else.
      'rxjs-x/no-unsafe-takeuntil': ['error', { allow: ['catchError', 'map', 'reduce'] }],
    },
  },
  {
    files: ['spec/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: {
      // An error or an empty stream that nobody expected fails the spec by itself.
      'rxjs-x/no-ignored-error': 'off',
      'rxjs-x/no-ignored-default-value': 'off',
      // Re-entrance and foreign errors are what specs try.
      'rxjs-x/no-nested-subscribe': 'off',
      'rxjs-x/throw-error': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: nodeFiles,
    rules: {
      ...imports(noNode, packages('rxjs', 'eventsource-parser')),
      'no-restricted-globals': ['error', ...timers, ...nodeGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'A turn asks its scheduler for the time.' },
      ],
      'no-restricted-syntax': ['error', dynamicImport],
      'no-console': 'error',
    },
  },
  {
    files: ['src/*.ts'],
    ignores: nodeFiles,
    rules: imports(noNode, noPublished, packages('rxjs', 'eventsource-parser')),
  },
  {
    files: groundFloor.map((name) => `src/${name}.ts`),
    rules: imports(noNode, noPublished, onlyGroundFloor, packages('rxjs')),
  },
  ...rooms.map((room) => ({
    files: [`src/${room}/**/*.ts`],
    rules: {
      ...imports(
        noNode,
        wayOfTheData(room),
        packages('rxjs', ...(room === 'response' ? ['eventsource-parser'] : [])),
      ),
      'no-restricted-syntax': ['error', dynamicImport, ...promises],
    },
  })),
  {
    files: ['src/request/fetch-transport.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Where a pipeline ends: consumers that ask for values are given promises.
    files: ['src/operators/pull.ts', 'src/operators/to-readable-stream.ts'],
    rules: { 'no-restricted-syntax': ['error', dynamicImport] },
  },
  {
    files: ['src/testing/**/*.ts'],
    rules: imports(noNode, packages('rxjs', 'rxjs/testing')),
  },
);
