// When an answer breaks off, restartOnBreak() discards the partial text, waits, and asks again. With requireFinish() before
// it, it does the same for an answer that ends too early. The screen never shows text from two answers.
import assert from 'node:assert/strict';
import { lastValueFrom, map, tap, toArray } from 'rxjs';
import { requireFinish, restartOnBreak, streamChatCompletions, toState } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({
  answers: [
    { content: ['Once upon ', 'a time ', { cut: 'close' }] },
    { content: ['Once there ', 'was '], finishReason: null, done: false },
    { content: ['Once ', 'more.'] },
  ],
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const shown = await lastValueFrom(
  streamChatCompletions('Tell me a story.', options).pipe(
    requireFinish(),
    restartOnBreak({ initialDelay: 100, jitter: 0 }),
    toState(),
    map(({ status, turn, retry }) =>
      status === 'restarting' ? `${retry.error.name}: again in ${retry.delay} ms` : `${status}: ${turn.text}`,
    ),
    tap((line) => console.log(line)),
    toArray(),
  ),
);

assert.deepEqual(shown, [
  'waiting: ',
  'streaming: Once upon ',
  'streaming: Once upon a time ',
  'StreamError: again in 100 ms',
  'streaming: Once there ',
  'streaming: Once there was ',
  'IncompleteStreamError: again in 200 ms',
  'streaming: Once ',
  'streaming: Once more.',
  'completed: Once more.',
]);
assert.equal(mock.requests.length, 3);
await mock.close();
