// A stop button: stopWhen aborts the request and completes the turn with the text so far, as if it had ended
// normally, so aggregate() emits the partial message for the conversation. After an error, the last snapshot
// of accumulate() is the partial answer.
import { catchError, EMPTY, last, lastValueFrom, tap, timer, toArray } from 'rxjs';
import { accumulate, aggregate, stopWhen, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider();
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };
const stop = timer(400);
// The answer is still streaming at that point.
mock.enqueue({ content: ['Because air ', 'scatters short waves ', { wait: Infinity }] });

const [message, completed] = await lastValueFrom(
  streamChatCompletions('Why is the sky blue?', options).pipe(stopWhen(stop), aggregate(), toArray()),
);
console.log(`stopped: ${completed.stopped}, with: ${message.item.content[0].text} …`);

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
