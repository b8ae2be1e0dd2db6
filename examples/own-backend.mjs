// A browser talks to your own backend, which keeps the key. The backend forwards the turn as server-sent
// events, and the front end reads the same events: text, errors, and whether the connection was cut.
// Leaving the page aborts the turn at the provider.
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { concatMap, lastValueFrom, take, tap, throwError } from 'rxjs';
import {
  decodeEventStream,
  Demand,
  encodeEventStream,
  fetchTransport,
  fromServerSentEvents,
  streamChatCompletions,
  toServerSentEvents,
  toState,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { nodeReadableFrom } from 'rxjs-chat-completions/node';

/** The backend: `POST { "question": "..." }`. It takes only the question from a request. */
export function createBackend(options, { requestTimeout = 10_000, checkingInterval = 1_000 } = {}) {
  // Node answers a client that sends too slowly with 408.
  const limits = { requestTimeout, connectionsCheckingInterval: checkingInterval };
  return createServer(limits, async (request, response) => {
    try {
      // Authenticate the user and check their quota here.
      const question = (await readJson(request, 65_536))?.question;
      if (typeof question !== 'string' || question.trim() === '')
        throw new Refusal(400, 'There is no question.');
      const demand = new Demand();
      const text = streamChatCompletions(question, { ...options, demand }).pipe(
        toServerSentEvents(),
        encodeEventStream(),
      );
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      // If the client disconnects, the pipeline is destroyed and the turn is aborted.
      pipeline(nodeReadableFrom(text, { demand }), response, () => {});
    } catch (error) {
      refuse(request, response, error);
    }
  });
}

/** A refused request, with the status to answer it with. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Reads the body of a request: JSON of at most `limit` bytes. The server's `requestTimeout` limits the time. */
async function readJson(request, limit) {
  if (request.method !== 'POST') throw new Refusal(405, 'Use POST.');
  // Browsers send this type to another origin only after a preflight request, which this server does not allow.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'Send application/json.');
  const tooLarge = new Refusal(413, 'The body is too large.');
  if (Number(request.headers['content-length']) > limit) throw tooLarge;
  const chunks = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > limit) throw tooLarge;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal(400, 'The body is not JSON.');
  }
}

/** Tells the client why its request was refused, without details of the backend's own errors. */
function refuse(request, response, error) {
  if (request.socket.destroyed) return; // The client has disconnected.
  const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'The backend failed.');
  if (status === 500) console.error(error);
  // Drain the rest of the body, so that the client gets to read the answer.
  request.resume();
  response
    .writeHead(status, { 'content-type': 'application/json', allow: 'POST' })
    .end(JSON.stringify({ error: { message } }));
}

/** The front end. */
async function demonstrate() {
  const mock = await startMockProvider({
    answers: [
      { content: ['The sky ', 'is blue.'] },
      { status: 401, error: { message: 'Incorrect API key: sk-…', code: 'invalid_api_key' } },
      { content: ['The ', 'sky ', { wait: Infinity }, 'is blue.'] },
    ],
  });
  const provider = { name: 'mock', baseUrl: mock.baseUrl };
  const backend = createBackend({ model: 'mock', provider, params: { max_tokens: 1_000 } });
  await once(backend.listen(0, '127.0.0.1'), 'listening');
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
}

// Runs only as a program, not when imported.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await demonstrate();
