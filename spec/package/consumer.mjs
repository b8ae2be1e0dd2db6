import assert from 'node:assert/strict';
import * as library from 'rxjs-chat-completions';
import * as mockProvider from 'rxjs-chat-completions/mock-provider';
import * as testing from 'rxjs-chat-completions/testing';
import { loaded, overHttp, scripted, shared, spanned, structured } from './a-turn.cjs';

assert.match(import.meta.resolve('rxjs-chat-completions'), /\/esm\//);
await scripted(library, testing);
await overHttp(library, mockProvider);
assert.equal(loaded('cross-fetch'), false, 'cross-fetch is loaded although there is a fetch');

delete globalThis.fetch;
await overHttp(library, mockProvider);
assert.equal(loaded('cross-fetch'), true, 'cross-fetch is not what stood in');

// Whether its parser is loaded only here is what consumer.cjs sees: this one is no CommonJS.
await structured(library, testing, await import('rxjs-chat-completions/json'));

assert.equal(loaded('@opentelemetry'), false, 'OpenTelemetry is loaded although nothing is traced');
await spanned(library, testing, await import('rxjs-chat-completions/otel'));
assert.equal(loaded('@opentelemetry'), true, 'OpenTelemetry would be loaded unseen');

await shared(
  library,
  testing,
  await import('rxjs-chat-completions/shared'),
  await import('rxjs-chat-completions/redis'),
);
assert.equal(loaded('@redis'), false, "a client of Redis is loaded, which is the application's to choose");
console.log('done');
