// A browser talks to a backend of its own, which keeps the key. The backend sends the turn on as
// server-sent events, and the front end reads the same events again: text, errors, and whether the
// connection was cut. Whoever leaves the page aborts the turn at the provider.
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

/** The backend: `POST { "question": "..." }`. It takes the question from a request, and nothing else. */
export function createBackend(options, { requestTimeout = 10_000, checkingInterval = 1_000 } = {}) {
  // A client that sends too slowly is told so by Node: 408.
  const limits = { requestTimeout, connectionsCheckingInterval: checkingInterval };
  return createServer(limits, async (request, response) => {
    try {
      // Check here who asks, and how much they have asked already.
      const question = (await readJson(request, 65_536))?.question;
      if (typeof question !== 'string' || question.trim() === '')
        throw new Refusal(400, 'There is no question.');
      const demand = new Demand();
      const text = streamChatCompletions(question, { ...options, demand }).pipe(
        toServerSentEvents(),
        encodeEventStream(),
      );
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      // Where the client leaves, the pipeline is taken down, and with it the turn.
      pipeline(nodeReadableFrom(text, { demand }), response, () => {});
    } catch (error) {
      refuse(request, response, error);
    }
  });
}

/** A request that is not answered, with the status that says why. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The body of a request: JSON of at most `limit` bytes. How long it may take is the server's `requestTimeout`. */
async function readJson(request, limit) {
  if (request.method !== 'POST') throw new Refusal(405, 'Use POST.');
  // A page of another origin cannot send this type without asking first, and is not allowed to.
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

/** Tells the client why its request is refused. What went wrong in the backend stays there. */
function refuse(request, response, error) {
  if (request.socket.destroyed) return; // It has left.
  const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'The backend failed.');
  if (status === 500) console.error(error);
  // What is still on its way is dropped, so that the client comes to read the answer.
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

// Run as a program, not imported.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await demonstrate();
