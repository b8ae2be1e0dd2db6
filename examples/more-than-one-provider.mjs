// Fall back to another provider when one fails, and hedge with a second request when one is slow. A provider that failed is
// skipped for a while (cooldown). The first to produce content wins, and the other is aborted.
import assert from 'node:assert/strict';
import { lastValueFrom, toArray } from 'rxjs';
import { fallbackWith, hedgeWith, streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const first = await startMockProvider({ answers: [{ status: 503 }] });
const second = await startMockProvider({ answers: () => ({ content: 'From the second.' }) });

/** A turn with one provider, without retries: the operators around it handle failures. */
const ask = ({ baseUrl }) =>
  streamChatCompletions('Who are you?', {
    model: 'mock',
    provider: { name: 'mock', baseUrl },
    retry: { maxRetries: 0 },
  });
const textOf = async (turn) => (await lastValueFrom(turn.pipe(textDeltas(), toArray()))).join('');

const answer = ask(first).pipe(fallbackWith({ others: [ask(second)], cooldown: 60_000 }));
for (const question of [1, 2]) console.log(`question ${question}: ${await textOf(answer)}`);
assert.equal(first.requests.length, 1, 'the first is not asked again within a minute');
assert.equal(second.requests.length, 2);

// Now the first provider is slow.
first.enqueue({ content: [{ wait: Infinity }] });
const text = await textOf(ask(first).pipe(hedgeWith(ask(second), { after: 100 })));
console.log(`hedged: ${text}`);
assert.equal(text, 'From the second.');
await first.whenAborted();
assert.equal(first.aborted, 1);

await Promise.all([first.close(), second.close()]);
