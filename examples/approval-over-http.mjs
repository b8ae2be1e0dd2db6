// Approving a tool call over HTTP. The backend stores the run and sends the call with an HMAC of what the user will see.
// The decision must include the HMAC, so a call whose arguments were changed in transit is refused.
import assert from 'node:assert/strict';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { EMPTY, lastValueFrom, of } from 'rxjs';
import { runTools, streamChatCompletions, tool, userMessage } from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';

/** Never leaves the server. All instances of the backend share it. */
const secret = randomBytes(32);

/** Binds a decision to the call that was shown: its id, tool and arguments. */
const signatureOf = ({ call_id, name, arguments: args }) =>
  createHmac('sha256', secret)
    .update(JSON.stringify([call_id, name, args]))
    .digest();

const isSigned = (call, signature) => {
  const given = Buffer.from(String(signature), 'base64url');
  const expected = signatureOf(call);
  return given.length === expected.length && timingSafeEqual(given, expected);
};

/** The backend: `POST /ask { question }`, then `POST /decide { run, call, signature, approved }` for each open call. */
function createBackend(options, { requestTimeout = 10_000, checkingInterval = 1_000 } = {}) {
  const payInvoice = tool({
    name: 'pay_invoice',
    description: 'Pays an invoice',
    input: {
      type: 'object',
      properties: { to: { type: 'string' }, euros: { type: 'number' } },
      required: ['to', 'euros'],
    },
    approve: true,
    execute: ({ to, euros }) => `Paid ${euros} € to ${to}.`,
  });

  /** Pending runs, by an unguessable id. In production, use a store per user, with a time to live. */
  const waiting = new Map();

  async function run(input, approve) {
    const turn = (prompt) => streamChatCompletions(prompt, options);
    const end = await lastValueFrom(runTools({ input }, { turn, tools: [payInvoice], approve }));
    const conversation = [...input, ...end.items];
    if (end.reason !== 'pending') return { text: conversation.at(-1).content[0].text };
    const id = randomBytes(16).toString('base64url');
    waiting.set(id, conversation);
    const calls = openCalls(conversation).map(({ call_id, name, arguments: args }) => {
      const call = { call_id, name, arguments: args };
      return { call, signature: signatureOf(call).toString('base64url') };
    });
    return { run: id, calls };
  }

  function ask({ question }) {
    if (typeof question !== 'string' || question.trim() === '')
      throw new Refusal(400, 'There is no question.');
    return run([userMessage(question)], undefined);
  }

  function decide({ run: id, call, signature, approved }) {
    const conversation = waiting.get(id);
    if (conversation === undefined) throw new Refusal(404, 'There is no such run.');
    // The user must have seen what was sent, and the run must contain that exact call.
    if (typeof call !== 'object' || call === null || !isSigned(call, signature))
      throw new Refusal(403, 'The decision is not about the call that was shown.');
    waiting.delete(id);
    // The other calls stay open.
    const approve = (asked) => (isSigned(asked, signature) ? of(approved === true) : EMPTY);
    return run(conversation, approve);
  }

  const routes = { '/ask': ask, '/decide': decide };
  const limits = { requestTimeout, connectionsCheckingInterval: checkingInterval };
  return createServer(limits, async (request, response) => {
    try {
      // Authenticate the user here: a run belongs to one user.
      const route = Object.hasOwn(routes, request.url) ? routes[request.url] : undefined;
      if (route === undefined) throw new Refusal(404, 'There is no such address.');
      const answer = await route((await readJson(request, 65_536)) ?? {});
      response
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify(answer));
    } catch (error) {
      refuse(request, response, error);
    }
  });
}

/** The calls without an output. */
function openCalls(conversation) {
  const answered = new Set(
    conversation.filter(({ type }) => type === 'function_call_output').map(({ call_id }) => call_id),
  );
  return conversation.filter(({ type, call_id }) => type === 'function_call' && !answered.has(call_id));
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

const mock = await startMockProvider({
  answers: [
    { content: [{ toolCall: { name: 'pay_invoice', arguments: { to: 'Example Ltd', euros: 120 } } }] },
    { content: 'The invoice is paid.' },
  ],
});
const backend = createBackend({ model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl } });
await once(backend.listen(0, '127.0.0.1'), 'listening');

const post = async (path, body) => {
  const response = await fetch(`http://127.0.0.1:${backend.address().port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
};

const asked = await post('/ask', { question: 'Pay the invoice of Example Ltd.' });
const [{ call, signature }] = asked.calls;
console.log(`The model wants: ${call.name} ${call.arguments}`);

// The amount differs from the signed one.
const changed = { ...call, arguments: call.arguments.replace('120', '120000') };
const refused = await post('/decide', { run: asked.run, call: changed, signature, approved: true });
assert.equal(refused.status, 403);
console.log(`With changed arguments: ${refused.status} ${refused.error.message}`);

const decided = await post('/decide', { run: asked.run, call, signature, approved: true });
assert.equal(decided.text, 'The invoice is paid.');
console.log(`Approved: ${decided.text}`);

// A run can be continued only once.
const again = await post('/decide', { run: asked.run, call, signature, approved: true });
assert.equal(again.status, 404);

// The model got the tool's output.
const told = mock.requests.at(-1).body.messages.at(-1);
assert.deepEqual([told.role, told.content], ['tool', 'Paid 120 € to Example Ltd.']);

backend.close();
await mock.close();
