// A stop button: takeUntil ends the turn and aborts its request, and the last snapshot of accumulate()
// is what had arrived. A connection that breaks leaves the partial answer in the same way.
import { catchError, EMPTY, last, lastValueFrom, takeUntil, tap, timer } from 'rxjs';
import { accumulate, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider();
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };
const stop = timer(400);

const stopped = await lastValueFrom(
  streamChatCompletions('Why is the sky blue?', options).pipe(takeUntil(stop), accumulate()),
);
console.log(`stopped while ${stopped.status}: ${stopped.text} …`);

mock.enqueue({ content: ['The sky is ', { cut: 'close' }] });
const broken = await lastValueFrom(
  streamChatCompletions('Why is the sky blue?', options).pipe(
    accumulate(),
    tap({ error: (error) => console.log(`${error.name}: ${error.message}`) }),
    catchError(() => EMPTY),
    last(),
  ),
);
console.log(`kept: ${broken.text}`);

await mock.whenAborted();
console.log(`${mock.requests.length} requests, ${mock.aborted} aborted here`);
await mock.close();
