// A browser talks to a backend of its own, which keeps the key. The backend sends the turn on as
// server-sent events, and the front end reads the same events again: text, errors, and whether the
// connection was cut. Whoever leaves the page aborts the turn at the provider.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { concatMap, lastValueFrom, take, tap, throwError } from 'rxjs';
import {
  decodeEventStream,
  encodeEventStream,
  fetchTransport,
  fromServerSentEvents,
  streamChatCompletions,
  toServerSentEvents,
  toState,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

const mock = await startMockProvider({
  answers: [
    { content: ['The sky ', 'is blue.'] },
    { status: 401, error: { message: 'Incorrect API key: sk-…', code: 'invalid_api_key' } },
    { content: ['The ', 'sky ', { wait: Infinity }, 'is blue.'] },
  ],
});
const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } };

// The backend.
const backend = createServer(async (request, response) => {
  const { question } = await json(request);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const writing = streamChatCompletions(question, options)
    .pipe(toServerSentEvents(), encodeEventStream())
    .subscribe({ next: (text) => response.write(text), complete: () => response.end() });
  response.on('close', () => writing.unsubscribe());
});
await once(backend.listen(0, '127.0.0.1'), 'listening');

// The front end.
const url = `http://127.0.0.1:${backend.address().port}/chat`;
const transport = fetchTransport();

const ask = (question) =>
  transport({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question }),
  }).pipe(
    concatMap(({ status, body }) =>
      status === 200 ? body : throwError(() => new Error(`The backend answered with status ${status}.`)),
    ),
    decodeEventStream(),
    fromServerSentEvents(),
  );

const print = tap(({ status, turn, error }) =>
  console.log(`  ${status}: ${JSON.stringify(turn.text)} ${error?.message ?? ''}`.trimEnd()),
);

for (const question of ['Why is the sky blue?', 'And at night?']) {
  console.log(question);
  await lastValueFrom(ask(question).pipe(toState(), print));
}

console.log('And on Mars? (The user leaves in the middle of the answer.)');
await lastValueFrom(ask('And on Mars?').pipe(toState(), print, take(3)));
await mock.whenAborted();
console.log(`${mock.requests.length} turns, ${mock.aborted} aborted at the provider`);

backend.close();
backend.closeAllConnections();
await mock.close();
