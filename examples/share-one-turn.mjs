// Each subscription is a turn of its own, and a bill of its own. Where several places show one answer,
// shareReplay makes them one, late ones included; when the last of them leaves, the request is aborted.
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
