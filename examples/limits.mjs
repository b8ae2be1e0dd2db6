// One limit for many turns: two at a time, and after a 429 no request with that key until its Retry-After has passed.
// A separate limit caps the length of each answer.
import assert from 'node:assert/strict';
import { forkJoin, lastValueFrom, toArray } from 'rxjs';
import {
  aggregate,
  limitTokens,
  rateLimiter,
  streamChatCompletions,
  textDeltas,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

let running = 0;
let most = 0;
const mock = await startMockProvider({
  answers: () => ({ content: ['One', ' word', ' after', ' another.'] }),
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const limiter = rateLimiter({ concurrency: 2 });
/** A turn for a user, counted while it runs. */
const ask = (key) => {
  const { admission, diagnostics } = limiter.for({ key });
  const watched = (diagnostic) => {
    diagnostics(diagnostic);
    if (diagnostic.type === 'request') most = Math.max(most, (running += 1));
    if (diagnostic.type === 'end') running -= 1;
  };
  return streamChatCompletions('Hi', { ...options, admission, diagnostics: watched }).pipe(
    textDeltas(),
    toArray(),
  );
};

const answers = await lastValueFrom(forkJoin(['alice', 'alice', 'alice', 'bob', 'bob'].map(ask)));
console.log(`${answers.length} turns, ${most} at a time`);
assert.deepEqual([answers.length, most], [5, 2]);

// A token is estimated as four bytes: the third piece exceeds the limit of three tokens.
const stopped = await lastValueFrom(
  streamChatCompletions('Hi', options).pipe(limitTokens(3), aggregate(), toArray()),
);
console.log(`stopped: ${stopped[0].item.content[0].text} …`);
assert.equal(stopped[0].item.content[0].text, 'One word after');
assert.equal(stopped[1].stopped, true);

await mock.close();
