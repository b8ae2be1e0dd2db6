// State for a user interface: it has a value from the beginning, and an error is a part of it, so that
// the text that had arrived stays on the screen. reduceTurn is the reducer, here as in a store.
import { catchError, distinctUntilChanged, lastValueFrom, map, of, scan, startWith, tap } from 'rxjs';
import { emptyTurn, reduceTurn, streamChatCompletions } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const start = { turn: emptyTurn, error: undefined };

const turnState = (events) =>
  events.pipe(
    map((event) => (state) => ({ ...state, turn: reduceTurn(state.turn, event) })),
    catchError((error) => of((state) => ({ ...state, error }))),
    scan((state, change) => change(state), start),
    startWith(start),
  );

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

for (const question of ['Why is the sky blue?', 'And at night?']) {
  const lines = turnState(streamChatCompletions(question, options)).pipe(
    map(({ turn, error }) =>
      `  ${turn.status}: ${JSON.stringify(turn.text)} ${error === undefined ? '' : error.message}`.trimEnd(),
    ),
    distinctUntilChanged(),
    tap((line) => console.log(line)),
  );
  console.log(question);
  await lastValueFrom(lines);
}
await mock.close();
