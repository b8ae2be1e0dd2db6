// What a browser loads, minified and gzipped. size-limit by itself leaves peer dependencies out and
// wraps externals in a `require` shim, so both are set here.
const everything = (config) => ({ ...config, external: [], format: 'esm', platform: 'browser' });

/** What else is loaded stays outside, and where nothing of it is used, so does the name of it. */
const others = {
  name: 'others',
  setup({ onResolve }) {
    onResolve(
      {
        filter:
          /^(?:rxjs|eventsource-parser|@opentelemetry\/api|@streamparser\/json\/.*|@angular\/core(?:\/.*)?)$/,
      },
      ({ path }) => ({
        path,
        external: true,
        sideEffects: false,
      }),
    );
  },
};

const ownCode = (config) => ({
  ...everything(config),
  plugins: [...(config.plugins ?? []), others],
});

const check = (name, imports, modifyEsbuildConfig, limit) => ({
  name,
  path: '../dist/esm/index.js',
  import: imports,
  gzip: true,
  modifyEsbuildConfig,
  limit,
});

export default [
  check('a turn, own code', '{ streamChatCompletions, aggregate }', ownCode, '25.8 kB'),
  check(
    'a turn, with rxjs and eventsource-parser',
    '{ streamChatCompletions, aggregate }',
    everything,
    '33.9 kB',
  ),
  check(
    'its parts: transport, decoders, aggregate; own code',
    '{ fetchTransport, decodeEventStream, decodeChatCompletions, aggregate }',
    ownCode,
    '16.4 kB',
  ),
  check('all exports, own code', '*', ownCode, '49.2 kB'),
  check('backoff alone', '{ backoff }', everything, '300 B'),
  {
    ...check('a traced turn, own code', undefined, ownCode, '29.7 kB'),
    path: ['../dist/esm/index.js', '../dist/esm/otel/index.js'],
    import: {
      '../dist/esm/index.js': '{ streamChatCompletions, aggregate }',
      '../dist/esm/otel/index.js': '{ traced, traceTurn }',
    },
  },
  {
    ...check('json, own code', '*', ownCode, '7.2 kB'),
    path: '../dist/esm/json/index.js',
  },
  {
    ...check('json, with rxjs and @streamparser/json', '*', everything, '17.2 kB'),
    path: '../dist/esm/json/index.js',
  },
  {
    ...check('turns shared through Redis, own code beside a turn', undefined, ownCode, '36.8 kB'),
    path: ['../dist/esm/index.js', '../dist/esm/shared/index.js', '../dist/esm/redis/index.js'],
    import: {
      '../dist/esm/index.js': '{ streamChatCompletions }',
      '../dist/esm/shared/index.js': '{ sharedTurns }',
      '../dist/esm/redis/index.js': '{ redisLog }',
    },
  },
  {
    ...check('a chat in Angular, own code beside a turn', undefined, ownCode, '34.8 kB'),
    path: ['../dist/esm/index.js', '../dist/esm/angular/index.js'],
    import: {
      '../dist/esm/index.js': '{ streamChatCompletions }',
      '../dist/esm/angular/index.js': '{ injectChat, provideChat }',
    },
  },
];
