// A new question replaces the current one: switchMap unsubscribes from the running turn, which aborts its
// request.
import { concatMap, delay, from, lastValueFrom, of, scan, switchMap, tap } from 'rxjs';
import { streamChatCompletions, textDeltas } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({ pace: 3 });
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

const questions = from(['Why', 'Why is the sky', 'Why is the sky blue?']).pipe(
  concatMap((question) => of(question).pipe(delay(120))),
  tap((question) => console.log(`asked: ${question}`)),
);

const answer = await lastValueFrom(
  questions.pipe(
    switchMap((question) =>
      streamChatCompletions(question, options).pipe(
        textDeltas(),
        scan((text, delta) => text + delta),
      ),
    ),
  ),
);

console.log(`answered: ${answer}`);
console.log(`${mock.requests.length} requests, ${mock.aborted} of them aborted`);
await mock.close();
