// Each subscription is a separate request, billed separately. To show one answer in several places, share
// it with shareReplay, also for late subscribers; when the last one unsubscribes, the request is aborted.
import { firstValueFrom, forkJoin, last, shareReplay } from 'rxjs';
import { accumulate, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({ pace: 1 });
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const turn = streamChatCompletions('Why is the sky blue?', options).pipe(accumulate());
await firstValueFrom(forkJoin([turn.pipe(last()), turn.pipe(last())]));
console.log(`not shared, two subscribers: ${mock.requests.length} requests`);

const shared = turn.pipe(shareReplay({ bufferSize: 1, refCount: true }));
const [title, body] = await firstValueFrom(forkJoin([shared.pipe(last()), shared.pipe(last())]));
console.log(`shared, two subscribers: ${mock.requests.length - 2} request, the same turn: ${title === body}`);

const late = await firstValueFrom(shared);
console.log(`shared, one more afterwards: ${mock.requests.length - 2} request, status ${late.status}`);
await mock.close();
