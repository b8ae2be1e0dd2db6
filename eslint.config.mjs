import regexp from 'eslint-plugin-regexp';
import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

// The way of the data: each room, and the rooms before it that it knows. `turn` and `flow` are the ground. What
// stands on a turn (operators, compose, run, relay) works on its events, wherever those come from.
const ground = ['turn', 'flow'];
const onTurns = ['operators', 'compose', 'run', 'relay'];
const roomsKnownTo = {
  turn: [],
  flow: ['turn'],
  prompt: ground,
  provider: [...ground, 'prompt'],
  request: [...ground, 'prompt', 'provider'],
  response: [...ground, 'prompt', 'provider', 'request'],
  ...Object.fromEntries(
    onTurns.map((room, place) => [room, [...ground, 'prompt', ...onTurns.slice(0, place)]]),
  ),
};
const subpaths = ['json', 'otel', 'shared', 'redis', 'angular', 'testing', 'mock-provider', 'node', 'cli'];

const noNode = {
  regex:
    '^node:|^(assert|buffer|child_process|crypto|events|fs|http|https|net|os|path|process|stream|tls|url|util)(/|$)',
  message: 'Browsers load this: Node stands only in src/node, src/mock-provider and the command line.',
};

const noPublished = {
  regex: `^\\.{1,2}/(.*/)?(${subpaths.join('|')})/`,
  message: 'What is published beside the library stands on it, never the other way round.',
};

/** For the files of a room, or of the folders in it, which stand a step further from the other rooms. */
const wayOfTheData = (room, steps) => {
  const known = roomsKnownTo[room];
  return {
    regex: `^(?:\\.\\./){${steps}}(?!(?:${[room, ...known].join('|')})/)`,
    message: `${room}/ imports from: ${known.join(', ') || 'no other room'}.`,
  };
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
  message: 'Only cross-fetch is loaded lazily, in request/fallback-fetch.ts.',
};

const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame'].map(
  (name) => ({ name, message: 'Every timer of a turn stands on its scheduler.' }),
);

const nodeGlobals = ['process', 'Buffer', 'global', '__dirname', '__filename', 'require'].map((name) => ({
  name,
  message: 'Browsers have none.',
}));

const nodeFiles = ['src/cli/**', 'src/mock-provider/**', 'src/node/**'];

export default tseslint.config(
  // The applications among the examples have compilers and rules of their own.
  {
    ignores: [
      'dist/',
      'coverage/',
      '**/node_modules/',
      '**/dist/',
      'docs/reference/',
      'site/.pages/',
      'site/.vitepress/cache/',
      'examples/angular/src/',
      'examples/angular/angular-22/{src,ngrx}/',
      'examples/nest/src/',
      // Copies of examples/nest, but for what copies them.
      'examples/nest-11/{src,test,variants}/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    // What others wrote is searched everywhere: no regular expression takes longer than its text, not even in
    // finding where to begin (spec/regular-expressions.spec.ts measures those of src/).
    extends: [regexp.configs['flat/recommended']],
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential', ignorePartial: false }],
      // Taste, where both ways are plain.
      'no-control-regex': 'off',
      'regexp/match-any': ['error', { allows: ['[^]', 'dotAll'] }],
      'regexp/no-unused-capturing-group': 'off',
      'regexp/prefer-character-class': 'off',
      'regexp/use-ignore-case': 'off',
    },
  },
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
  ...Object.keys(roomsKnownTo).flatMap((room) =>
    ['*.ts', '*/*.ts'].map((files, place) => ({
      files: [`src/${room}/${files}`],
      rules: {
        ...imports(
          noNode,
          wayOfTheData(room, place + 1),
          packages('rxjs', ...(room === 'response' ? ['eventsource-parser'] : [])),
        ),
        'no-restricted-syntax': ['error', dynamicImport, ...promises],
      },
    })),
  ),
  {
    files: ['src/request/fallback-fetch.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Where a pipeline ends: consumers that ask for values are given promises.
    files: ['src/request/fetch-transport.ts', 'src/flow/pull.ts', 'src/relay/readable-stream-from.ts'],
    rules: { 'no-restricted-syntax': ['error', dynamicImport] },
  },
  {
    files: ['src/testing/**/*.ts'],
    rules: imports(noNode, packages('rxjs', 'rxjs/testing')),
  },
  {
    files: ['src/json/**/*.ts'],
    rules: {
      ...imports(noNode, packages('rxjs', '@streamparser/json/.*')),
      'no-restricted-syntax': ['error', dynamicImport, ...promises],
    },
  },
  {
    files: ['src/otel/**/*.ts'],
    rules: imports(noNode, packages('rxjs', '@opentelemetry/api')),
  },
  {
    // Signals are set once a frame, and a browser has those.
    files: ['src/angular/**/*.ts'],
    rules: imports(noNode, packages('rxjs', '@angular/core', '@angular/core/rxjs-interop')),
  },
  {
    // Stores are reached through what their users hand over: no client of their own.
    files: ['src/shared/**/*.ts', 'src/redis/**/*.ts'],
    rules: imports(noNode, packages('rxjs')),
  },
);
