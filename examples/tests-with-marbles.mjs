// Tests in virtual time: you draw the responses with marbleTransport, so a turn with a retry, a wait and a
// stream is one diagram and takes no real time. It works in any test runner; this example uses none.
import { TestScheduler } from 'rxjs/testing';
import { IdleTimeoutError, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { marbleTransport, observableMatcher } from 'rxjs-chat-completions/testing';

const provider = { name: 'test', baseUrl: 'https://provider.test/v1', apiKey: 'sk-test' };
const frames = {
  a: 'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n',
  b: 'data: {"choices":[{"delta":{"content":"lo"}}]}\n\n',
  D: 'data: [DONE]\n\n',
};
const expectation = { a: 'Hel', b: 'lo' };

function test(name, run) {
  new TestScheduler(observableMatcher).run(run);
  console.log(`ok  ${name}`);
}

test('waits as long as the provider asks, then streams', (helpers) => {
  const transport = marbleTransport(helpers, [
    { response: '--r', status: 429, headers: { 'retry-after': '2' } },
    { response: '-r', body: '-a-b-D|', frames },
  ]);
  const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
  helpers.expectObservable(turn.pipe(textDeltas())).toBe('-- 2s --a-b-|', expectation);
});

test('aborts the stream when its reader leaves', (helpers) => {
  const transport = marbleTransport(helpers, [{ response: '-r', body: '-a-b-a-b-a-b', frames }]);
  const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
  helpers.expectObservable(turn.pipe(textDeltas()), '^-----!').toBe('--a-b-', expectation);
  helpers.expectSubscriptions(transport.connections[0].body.subscriptions).toBe('-^----!');
});

test('gives up on a provider that stays silent', (helpers) => {
  const transport = marbleTransport(helpers, [{ body: '-a', frames }]);
  const turn = streamChatCompletions('Hi', { model: 'm', provider, transport, idleTimeout: 30_000 });
  const error = new IdleTimeoutError(30_000);
  helpers.expectObservable(turn.pipe(textDeltas())).toBe('-a 29999ms #', expectation, error);
});
