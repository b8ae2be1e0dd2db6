// What happens when a request fails: a 429 waits as long as the provider asks, a 503 backs off. With
// includeRetries, each retry is an event; without it, retries are silent.
import { lastValueFrom, tap } from 'rxjs';
import { streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const limited = { status: 429, headers: { 'retry-after-ms': '250' } };
const mock = await startMockProvider({
  answers: [limited, { status: 503 }, { content: 'Third time lucky.' }, limited, limited],
});
const options = {
  model: 'mock',
  provider: { name: 'mock', baseUrl: mock.baseUrl },
  includeRetries: true,
};

const print = tap((event) => {
  if (event.type === 'retrying') {
    console.log(`attempt ${event.attempt}: ${event.error.message} The next one in ${event.delay} ms.`);
  }
  if (event.type === 'output_item_done') console.log(`text: ${event.item.content[0].text}`);
});

await lastValueFrom(streamChatCompletions('Hello?', options).pipe(print));

const impatient = { ...options, retry: { maxRetries: 1 } };
await lastValueFrom(streamChatCompletions('Hello?', impatient).pipe(print)).catch((error) =>
  console.log(`${error.name}: ${error.message}`),
);
await mock.close();
