const assert = require('node:assert/strict');
const { scripted, overHttp, shared, spanned, structured, loaded } = require('./a-turn.cjs');
const library = require('rxjs-chat-completions');
const testing = require('rxjs-chat-completions/testing');
const mockProvider = require('rxjs-chat-completions/mock-provider');

// rxjs has several builds, and entries that load more of it: one build, by its main entry, is what an application has.
const rxjs = Object.keys(require.cache).filter((file) => /[\\/]rxjs[\\/]dist[\\/]/.test(file));
assert.equal(rxjs.length > 0, true);
assert.deepEqual(
  rxjs.filter((file) => !/[\\/]dist[\\/]cjs[\\/](?:index\.js$|internal[\\/])/.test(file)),
  [],
);

(async () => {
  await scripted(library, testing);
  await overHttp(library, mockProvider);
  assert.equal(loaded('cross-fetch'), false, 'cross-fetch is loaded although there is a fetch');

  delete globalThis.fetch;
  await overHttp(library, mockProvider);
  assert.equal(loaded('cross-fetch'), true, 'cross-fetch is not what stood in');

  assert.equal(loaded('@streamparser'), false, 'A JSON parser is loaded although none is used');
  await structured(library, testing, require('rxjs-chat-completions/json'));
  assert.equal(loaded('@streamparser'), true, 'The JSON parser would be loaded unseen');

  assert.equal(loaded('@opentelemetry'), false, 'OpenTelemetry is loaded although nothing is traced');
  await spanned(library, testing, require('rxjs-chat-completions/otel'));
  assert.equal(loaded('@opentelemetry'), true, 'OpenTelemetry would be loaded unseen');

  await shared(
    library,
    testing,
    require('rxjs-chat-completions/shared'),
    require('rxjs-chat-completions/redis'),
  );
  assert.equal(loaded('@redis'), false, "a client of Redis is loaded, which is the application's to choose");
  console.log('done');
})();
