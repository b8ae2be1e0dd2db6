// A backend for any OpenAI client: it keeps the provider's key, and each answer is a turn of this library,
// with its retries, limits and operators.
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { fromEvent, takeUntil } from 'rxjs';
import {
  Demand,
  encodeEventStream,
  IdleTimeoutError,
  InvalidRequestError,
  ResponseTimeoutError,
  splitThinking,
  streamChatRequest,
  toChatCompletion,
  toChatCompletionChunks,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { nodeReadableFrom, nodeTransport } from 'rxjs-chat-completions/node';

/** The backend: `POST` with the body of a Chat Completions request. */
export function createBackend(options, { requestTimeout = 10_000, checkingInterval = 1_000 } = {}) {
  // Node answers a client that sends too slowly with 408.
  const limits = { requestTimeout, connectionsCheckingInterval: checkingInterval };
  return createServer(limits, async (request, response) => {
    try {
      // Authenticate the user and check their quota here.
      const { stream, includeUsage, ...body } = readChatRequest(await readJson(request, 1_048_576));
      const turn = (more) => streamChatRequest(body, { ...options, ...more }).pipe(splitThinking());
      if (!stream) {
        answerWhole(turn({ includeUsage: true }).pipe(toChatCompletion({ model: body.model })), response);
        return;
      }
      const demand = new Demand();
      const text = turn({ demand, includeUsage }).pipe(
        toChatCompletionChunks({ model: body.model, includeUsage }),
        encodeEventStream(),
      );
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      // If the client disconnects, the stream is destroyed and the turn is aborted.
      nodeReadableFrom(text, { demand }).pipe(response);
    } catch (error) {
      refuse(request, response, error);
    }
  });
}

/** Answers a client that does not stream: one JSON object, or an error with a status. */
function answerWhole(completion, response) {
  completion.pipe(takeUntil(fromEvent(response, 'close'))).subscribe({
    next: (whole) => json(response, 200, whole),
    // Do not send the provider's message. `x-should-retry`: the turn has already retried.
    error: (error) =>
      json(
        response,
        statusOf(error),
        { error: { message: 'No answer.', type: 'server_error', param: null, code: null } },
        { 'x-should-retry': 'false' },
      ),
  });
}

/** A status that tells the client who is at fault. Problems with the backend's key or account become 502. */
function statusOf(error) {
  if (error instanceof ResponseTimeoutError || error instanceof IdleTimeoutError) return 504;
  if (error instanceof InvalidRequestError) return 400;
  if (error.code === 'insufficient_quota') return 502;
  return [400, 413, 422, 429].includes(error.status) ? error.status : 502;
}

const maxTokens = 1_000;
const roles = ['system', 'user', 'assistant'];

const isMessage = (message) =>
  roles.includes(message?.role) && typeof message.content === 'string' && Object.keys(message).length === 2;

/**
 * The fields that a request may have, each with a check of its value. Nothing else reaches the provider: tools, `n`,
 * `store` and fields yet to be invented spend the key owner's money, or store data that the owner is responsible for.
 */
const params = {
  model: (name) => name === 'sky',
  messages: (list) => Array.isArray(list) && list.length > 0 && list.length <= 100 && list.every(isMessage),
  stream: (is) => [undefined, null, false, true].includes(is),
  stream_options: (given = {}) => typeof given === 'object' && given !== null,
  temperature: (value = 1) => typeof value === 'number' && value >= 0 && value <= 2,
  max_tokens: (count = maxTokens) => Number.isInteger(count) && count > 0,
};

/** Builds the provider's request from the client's. */
function readChatRequest(body) {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject) throw new Refusal(400, 'The body is no object.');
  if (!Object.keys(body).every((name) => Object.hasOwn(params, name)))
    throw new Refusal(400, `Only these may be sent: ${Object.keys(params).join(', ')}.`);
  const wrong = Object.keys(params).find((name) => !params[name](body[name]));
  if (wrong !== undefined) throw new Refusal(400, `${wrong} is missing, or may not have this value.`);
  const { model, messages, stream, temperature, max_tokens = maxTokens, stream_options } = body;
  return {
    ...{ model, messages, temperature, max_tokens: Math.min(max_tokens, maxTokens) },
    stream: stream === true,
    includeUsage: stream_options?.include_usage === true,
  };
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

const json = (response, status, body, headers = {}) =>
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
    .end(JSON.stringify(body));

async function demonstrate() {
  const mock = await startMockProvider({
    answers: [
      { status: 503 },
      { content: '<think>Air scatters light.</think>It is blue because of the air.' },
      { content: '<think>Air scatters light.</think>It is blue because of the air.' },
    ],
  });
  const provider = { name: 'mock', baseUrl: mock.baseUrl };
  const server = createBackend({ provider, transport: nodeTransport() });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const client = new OpenAI({
    baseURL: `http://127.0.0.1:${server.address().port}/v1`,
    apiKey: 'of-the-backend',
  });
  const stream = await client.chat.completions.create({
    model: 'sky',
    messages: [{ role: 'user', content: 'Why is the sky blue?' }],
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const { choices, usage } of stream) {
    const [choice] = choices;
    if (choice?.delta.reasoning_content) console.log('reasoning:', choice.delta.reasoning_content);
    if (choice?.delta.content) process.stdout.write(choice.delta.content);
    if (choice?.finish_reason) console.log(`\nfinish reason: ${choice.finish_reason}`);
    if (usage) console.log(`${usage.completion_tokens} tokens`);
  }

  const { choices, usage } = await client.chat.completions.create({
    model: 'sky',
    messages: [{ role: 'user', content: 'And without streaming?' }],
  });
  const [{ message, finish_reason: reason }] = choices;
  console.log(`whole: ${message.content} (${reason}, ${usage.completion_tokens} tokens)`);

  server.closeAllConnections();
  server.close();
  await mock.close();
}

// Runs only as a program, not when imported.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await demonstrate();
