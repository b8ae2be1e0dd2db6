// State for a UI: toState() emits a value immediately and never errors, so the partial text stays on the
// screen after an error. Made for Angular's toSignal and async pipe.
import { lastValueFrom, tap } from 'rxjs';
import { streamChatCompletions, toState } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({
  answers: [
    { status: 503 },
    { content: ['The sky ', 'is blue.'] },
    { content: ['The sky ', { chunk: { error: { message: 'overloaded' } } }] },
  ],
});
const options = {
  model: 'mock',
  provider: { name: 'mock', baseUrl: mock.baseUrl },
  includeRetries: true,
};

const notice = ({ status, retry, error }) => {
  if (status === 'retrying' || status === 'restarting') return `  again in ${retry.delay} ms`;
  return status === 'error' ? `  ${error.message}` : '';
};

for (const question of ['Why is the sky blue?', 'And at night?']) {
  console.log(question);
  await lastValueFrom(
    streamChatCompletions(question, options).pipe(
      toState(),
      tap((state) => console.log(`  ${state.status}: ${JSON.stringify(state.turn.text)}${notice(state)}`)),
    ),
  );
}
await mock.close();
