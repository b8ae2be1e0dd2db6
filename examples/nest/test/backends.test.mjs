import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { concatMap, lastValueFrom, tap, toArray } from 'rxjs';
import {
  decodeEventStream,
  fetchTransport,
  fromServerSentEvents,
  streamChatCompletions,
  textDeltas,
} from 'rxjs-chat-completions';
import { startMockProvider } from 'rxjs-chat-completions/mock-provider';
import { attacksOn, forbiddenParams } from '../../../scripts/attack-backend.mjs';
import { maxBodyBytes } from '../dist/settings.js';
import { exchange, open, readUntil, startBackend } from './backend.mjs';
import { badChatRequests, badPrompts } from './bad-requests.mjs';

const key = 'sk-the-key-of-the-backend';
/** What a provider says in its errors, and no client is told. */
const words = `Incorrect API key provided: ${key}. Organization org-42.`;

const servers = {
  NestJS: 'dist/main.js',
  'node:http': 'variants/node-http.mjs',
  Express: 'variants/express.mjs',
  Fastify: 'variants/fastify.mjs',
};

const text = (said) => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] },
});
const question = { role: 'user', content: 'Why is the sky blue?' };
const chatRequest = { model: 'mock', messages: [question], stream: true };

/** The data of an event stream's messages. */
const dataOf = (stream) => [...stream.matchAll(/^data: (.*)$/gm)].map(([, data]) => data);
const contents = (stream) =>
  dataOf(stream)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data).choices?.[0]?.delta.content)
    .filter((content) => content !== undefined);

function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { open, opened };
}

for (const [name, file] of Object.entries(servers)) {
  describe(name, { timeout: 300_000 }, () => {
    let mock;
    let backend;
    /** The same, where a request may take a fraction of a second to arrive. */
    let hasty;
    let appDir;

    before(async () => {
      appDir = mkdtempSync(join(tmpdir(), 'chat-app-'));
      writeFileSync(join(appDir, 'index.html'), '<title>Chat</title>');
      mock = await startMockProvider({ pace: 0 });
      const env = {
        OPENAI_API_KEY: key,
        OPENAI_BASE_URL: mock.baseUrl,
        OPENAI_REQUEST_MAX_RETRIES: '2',
        CHAT_MODELS: 'mock, mock-large',
        CHAT_MAX_TOKENS: '1000',
        APP_DIR: appDir,
      };
      [backend, hasty] = await Promise.all([
        startBackend(file, env),
        startBackend(file, { ...env, REQUEST_TIMEOUT_MS: '200' }),
      ]);
    });

    after(async () => {
      await Promise.all([backend?.stop(), hasty?.stop()]);
      await mock?.close();
      rmSync(appDir, { recursive: true, force: true });
    });

    const routes = {
      'POST /api/chat': () =>
        open(`${backend.origin}/api/chat`, { body: { prompt: 'Why is the sky blue?' } }),
      'POST /v1/chat/completions': () => open(`${backend.origin}/v1/chat/completions`, { body: chatRequest }),
      ...(name === 'NestJS' && {
        'GET /api/sse': () =>
          open(`${backend.origin}/api/sse?question=Why%20is%20the%20sky%20blue%3F`, { method: 'GET' }),
        'POST /api/sse': () =>
          open(`${backend.origin}/api/sse`, { body: { prompt: 'Why is the sky blue?' } }),
        'GET /api/chat': () =>
          open(`${backend.origin}/api/chat?question=Why%20is%20the%20sky%20blue%3F`, { method: 'GET' }),
      }),
    };

    const post = (path, body, options) => exchange(`${backend.origin}${path}`, { body, ...options });

    /** The turn as the front end of this library reads it. */
    const ask = (prompt) =>
      fetchTransport()({
        url: `${backend.origin}/api/chat`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt }),
      }).pipe(
        tap(({ status }) => assert.equal(status, 200)),
        concatMap(({ body }) => body),
        decodeEventStream(),
        fromServerSentEvents(),
      );

    const askLibrary = (prompt, options) =>
      streamChatCompletions(prompt, {
        model: 'mock',
        provider: { name: 'backend', baseUrl: `${backend.origin}/v1` },
        ...options,
      });

    for (const [route, start] of Object.entries(routes)) {
      it(`${route}: the first text is there while the provider holds the second`, async () => {
        const { open: letGo, opened } = gate();
        mock.enqueue({
          content: (async function* () {
            yield 'The sky';
            await opened;
            yield ' is blue.';
          })(),
        });
        const response = await start().answer;
        const begin = await readUntil(response, 'The sky');
        assert.doesNotMatch(begin, /is blue/);
        letGo();
        assert.match(await readUntil(response, '[DONE]'), /is blue/);
        assert.equal(response.statusCode, 200);
        assert.match(response.headers['content-type'], /^text\/event-stream/);
        assert.match(response.headers['cache-control'], /no-store.*no-transform/);
        assert.equal(response.headers['x-accel-buffering'], 'no');
      });

      it(`${route}: a client that leaves in the middle aborts the turn at the provider`, async () => {
        const aborted = mock.aborted;
        mock.enqueue({ content: ['The sky', { wait: Infinity }] });
        const { outgoing, answer } = start();
        await readUntil(await answer, 'The sky');
        outgoing.socket.destroy();
        await mock.whenAborted(aborted + 1);
      });

      it(`${route}: a client that leaves before the first byte does so too`, async () => {
        const { aborted, requests } = mock;
        mock.enqueue({ delay: Infinity });
        const { length } = requests;
        const { outgoing } = start();
        await mock.whenRequested(length + 1);
        outgoing.socket.destroy();
        await mock.whenAborted(aborted + 1);
      });
    }

    it('/api/chat: fromServerSentEvents() reads the turn', async () => {
      mock.enqueue({ content: ['The sky', ' is blue.'] });
      const prompt = { instructions: 'Be short.', input: [question] };
      const events = await lastValueFrom(ask(prompt).pipe(toArray()));
      const { responseId } = events.at(-1);
      assert.deepEqual(events, [
        text('The sky'),
        text(' is blue.'),
        { type: 'completed', responseId, model: 'mock', finishReason: 'stop', usage: null, endedBy: 'done' },
      ]);
      const { messages, model, stream } = mock.requests.at(-1).body;
      assert.deepEqual(
        { messages, model, stream },
        { messages: [{ role: 'system', content: 'Be short.' }, question], model: 'mock', stream: true },
      );
    });

    it('/api/chat: an error in the middle is an event, without the words of the provider', async () => {
      const error = { message: words, type: 'server_error', code: 'overloaded' };
      mock.enqueue({ content: ['The sky', { raw: `data: ${JSON.stringify({ error })}\n\n` }] });
      const { status, text: stream } = await post('/api/chat', { prompt: 'Hi' });
      assert.equal(status, 200);
      assert.deepEqual(
        dataOf(stream).map((data) => JSON.parse(data)),
        [text('The sky'), { type: 'error', error: { name: 'ProviderStreamError', code: 'overloaded' } }],
      );
      assert.match(stream, /^event: error$/m);
    });

    it('/v1/chat/completions: an error in the middle is an event, without the words of the provider', async () => {
      const error = { message: words, type: 'server_error', code: 'overloaded' };
      mock.enqueue({ content: ['The sky', { raw: `data: ${JSON.stringify({ error })}\n\n` }] });
      const { status, text: stream } = await post('/v1/chat/completions', chatRequest);
      assert.equal(status, 200);
      assert.deepEqual(contents(stream), ['The sky']);
      assert.deepEqual(JSON.parse(dataOf(stream).at(-1)), {
        error: { message: 'The answer broke off.', type: 'server_error', param: null, code: 'overloaded' },
      });
    });

    it('a connection that breaks in the middle is an error in the stream, no end', async () => {
      mock.enqueue({ content: ['The sky', { cut: 'reset' }] }, { content: ['The sky', { cut: 'reset' }] });
      const own = await post('/api/chat', { prompt: 'Hi' });
      assert.equal(JSON.parse(dataOf(own.text).at(-1)).error.name, 'StreamError');
      const openAI = await post('/v1/chat/completions', chatRequest);
      assert.equal(JSON.parse(dataOf(openAI.text).at(-1)).error.message, 'The answer broke off.');
    });

    for (const [path, body] of [
      ['/api/chat', { prompt: 'Hi' }],
      ['/v1/chat/completions', chatRequest],
    ]) {
      it(`${path}: of a provider that is busy twice, the client sees nothing`, async () => {
        const before = mock.requests.length;
        const busy = { status: 429, headers: { 'retry-after': '0' } };
        mock.enqueue(busy, busy, { content: ['The sky', ' is blue.'] });
        const { status, text: stream } = await post(path, body);
        assert.equal(status, 200);
        assert.equal(mock.requests.length, before + 3);
        assert.match(dataOf(stream)[0], /The sky/);
        assert.equal(dataOf(stream).at(-1), '[DONE]');
        assert.doesNotMatch(stream, /retrying/);
      });

      it(`${path}: a provider that stays busy is 429, with its Retry-After`, async () => {
        const before = mock.requests.length;
        // Longer than is waited for.
        mock.enqueue({ status: 429, headers: { 'retry-after': '120' }, error: { message: words } });
        const { status, headers, text: answer } = await post(path, body);
        assert.equal(status, 429);
        assert.equal(headers['retry-after'], '120');
        assert.equal(mock.requests.length, before + 1);
        assert.deepEqual(JSON.parse(answer), {
          error: {
            message: 'The provider is busy.',
            type: 'rate_limit_error',
            param: null,
            code: 'rate_limit_exceeded',
          },
        });
      });

      it(`${path}: a provider that is gone is 502, after the retries`, async () => {
        const before = mock.requests.length;
        mock.enqueue({ noAnswer: 'reset' }, { noAnswer: 'reset' }, { noAnswer: 'reset' });
        const { status, headers, text: answer } = await post(path, body);
        assert.equal(status, 502);
        assert.equal(headers['x-should-retry'], 'false');
        assert.match(headers['content-type'], /^application\/json/);
        assert.equal(JSON.parse(answer).error.message, 'The provider did not answer as it should.');
        assert.equal(mock.requests.length, before + 3);
      });

      it(`${path}: a request that the provider refuses is 400, a key that it refuses is 502`, async () => {
        mock.enqueue({ status: 400, error: { message: words } }, { status: 401, error: { message: words } });
        assert.equal((await post(path, body)).status, 400);
        assert.equal((await post(path, body)).status, 502);
      });

      it(`${path}: a provider whose stream begins with an error is 502`, async () => {
        mock.enqueue({ body: `data: ${JSON.stringify({ error: { message: words } })}\n\n` });
        assert.equal((await post(path, body)).status, 502);
      });

      it(`${path}: where the client does not read, the provider stops writing; read on, nothing is lost`, async () => {
        const piece = '#'.repeat(2 ** 18);
        // What the sockets on the way hold is a few megabytes; this is many times as much.
        const pieces = 200;
        let written = 0;
        function* counted() {
          for (; written < pieces; written += 1) yield piece;
        }
        mock.enqueue({ content: counted() });
        const response = await open(`${backend.origin}${path}`, { body }).answer;
        await whenStill(() => written, pieces);
        const whenNobodyRead = written;
        let characters = 0;
        for await (const part of response) {
          for (let at = 0; at < part.length; at += 1) if (part[at] === 0x23) characters += 1;
        }
        assert.equal(characters, pieces * piece.length);
        assert.ok(whenNobodyRead < pieces / 2, `${whenNobodyRead} of ${pieces} pieces were written`);
      });

      it(`${path}: a slow client that leaves aborts the turn`, async () => {
        const aborted = mock.aborted;
        let written = 0;
        function* endless() {
          for (; ; written += 1) yield '#'.repeat(2 ** 18);
        }
        mock.enqueue({ content: endless() });
        const { outgoing, answer } = open(`${backend.origin}${path}`, { body });
        await answer;
        await whenStill(() => written, Infinity);
        outgoing.socket.destroy();
        await mock.whenAborted(aborted + 1);
      });

      it(`${path}: a body that is not JSON is 400, and one that is too large 413`, async () => {
        const before = mock.requests.length;
        const bodies = ['{"prompt":', 'null', '[]', 'x'.repeat(10)];
        for (const bad of bodies) assert.equal((await post(path, bad)).status, 400, bad);
        const large = JSON.stringify({ prompt: 'x'.repeat(1_100_000) });
        assert.equal((await post(path, large)).status, 413);
        const type = { headers: { 'content-type': 'text/plain' } };
        assert.ok([400, 415].includes((await post(path, JSON.stringify(body), type)).status));
        assert.equal(mock.requests.length, before);
      });
    }

    it('/api/chat: a prompt that is none is 400', async () => {
      const before = mock.requests.length;
      const prompts = [undefined, null, '', ' ', 1, {}, { input: [] }, { input: ['Hi'] }, { input: 'Hi' }];
      for (const prompt of [...prompts, { input: [question], instructions: 1 }]) {
        assert.equal((await post('/api/chat', { prompt })).status, 400, JSON.stringify(prompt));
      }
      assert.equal(mock.requests.length, before);
    });

    it('/v1/chat/completions: what may not be asked is refused in the form of OpenAI', async () => {
      const before = mock.requests.length;
      const refused = async (body) => {
        const { status, text: answer } = await post('/v1/chat/completions', body);
        const { error } = JSON.parse(answer);
        return [status, error.type, error.param, error.code];
      };
      const type = 'invalid_request_error';
      assert.deepEqual(await refused({ ...chatRequest, stream: 'true' }), [400, type, 'stream', null]);
      assert.deepEqual(await refused({ ...chatRequest, model: 'gpt-large' }), [
        404,
        type,
        'model',
        'model_not_found',
      ]);
      assert.deepEqual(await refused({ ...chatRequest, n: 100 }), [400, type, 'n', 'unknown_parameter']);
      assert.deepEqual(await refused({ ...chatRequest, messages: [] }), [400, type, 'messages', null]);
      assert.deepEqual(await refused({ ...chatRequest, messages: [{ role: 'root' }] }), [
        400,
        type,
        'messages',
        null,
      ]);
      const tools = Array.from({ length: 65 }, () => ({ type: 'function', function: { name: 'f' } }));
      assert.deepEqual(await refused({ ...chatRequest, tools }), [400, type, 'tools', null]);
      assert.equal(mock.requests.length, before);
    });

    it('/v1/chat/completions: the rest of the request reaches the provider as it is', async () => {
      const sent = { ...chatRequest, model: 'mock-large', temperature: 0.5, stop: ['.'], max_tokens: 10 };
      assert.equal((await post('/v1/chat/completions', sent)).status, 200);
      assert.deepEqual(mock.requests.at(-1).body, sent);
    });

    it('no answer and no log holds the key or what the provider said of it', async () => {
      const repeated = [
        { status: 401, error: { message: words, code: 'invalid_api_key' } },
        { status: 403, json: { error: { message: words, code: words } }, headers: { 'x-key': key } },
        { status: 404, body: words, headers: { 'content-type': 'text/plain' } },
        { status: 429, error: { message: words, code: 'insufficient_quota' } },
        { status: 503, error: { message: words }, headers: { 'x-should-retry': 'false' } },
        { status: 200, body: `<html>${words}</html>`, headers: { 'content-type': 'text/html' } },
        { status: 302, body: words, headers: { location: `https://provider.example/${key}` } },
        { body: `data: ${JSON.stringify({ error: { message: words, code: words, type: words } })}\n\n` },
        { content: ['Hi', { raw: `data: ${JSON.stringify({ error: { message: words, code: key } })}\n\n` }] },
      ];
      for (const answer of repeated) {
        for (const [route, start] of Object.entries(routes)) {
          mock.enqueue(answer);
          const response = await start().answer;
          const parts = [];
          for await (const part of response) parts.push(part);
          const all = `${JSON.stringify(response.rawHeaders)}\n${Buffer.concat(parts)}`;
          const sent = mock.requests.at(-1).headers.authorization;
          assert.equal(sent, `Bearer ${key}`);
          assert.ok(!/sk-the|org-42/.test(all), `${route}, ${JSON.stringify(answer)}: ${all}`);
        }
      }
      assert.doesNotMatch(backend.printed, /sk-the|org-42|Why is the sky|The sky/);
    });

    for (const [path, { sent, ...requests }] of Object.entries({
      '/api/chat': {
        good: { prompt: question.content },
        bad: badPrompts,
        forbidden: { ...forbiddenParams, model: 'mock-large', max_tokens: 1, tools: [], params: { n: 100 } },
        sent: { model: 'mock', messages: [question], stream: true, max_completion_tokens: 1_000 },
      },
      '/v1/chat/completions': {
        good: chatRequest,
        bad: badChatRequests(chatRequest),
        forbidden: forbiddenParams,
        sent: { ...chatRequest, max_completion_tokens: 1_000 },
      },
    })) {
      const attacks = attacksOn({
        ...requests,
        maxBodyBytes,
        url: () => `${backend.origin}${path}`,
        slowUrl: () => `${hasty.origin}${path}`,
        mock: () => mock,
        sent: (body) => assert.deepEqual(body, sent),
      });
      for (const [what, run] of attacks) it(`${path}: ${what}`, run);
    }

    it('/v1/chat/completions: the longest answer has a limit, whatever is asked for', async () => {
      for (const [asked, reaching] of [
        [{}, { max_completion_tokens: 1_000 }],
        [{ max_tokens: 10 }, { max_tokens: 10 }],
        [{ max_tokens: Number.MAX_SAFE_INTEGER }, { max_tokens: 1_000 }],
        [{ max_completion_tokens: 2_000 }, { max_completion_tokens: 1_000 }],
        [
          { max_tokens: 2_000, max_completion_tokens: 2_000 },
          { max_tokens: 1_000, max_completion_tokens: 1_000 },
        ],
      ]) {
        assert.equal((await post('/v1/chat/completions', { ...chatRequest, ...asked })).status, 200);
        assert.deepEqual(mock.requests.at(-1).body, { ...chatRequest, ...reaching });
      }
    });

    it('/v1/chat/completions: what a provider wants to see again, and calls with their outputs, reach it', async () => {
      const call = {
        id: 'call_1',
        type: 'function',
        function: { name: 'weather', arguments: '{}' },
        extra_content: { google: { thought_signature: 'c2ln' } },
      };
      const messages = [
        question,
        { role: 'assistant', content: null, reasoning_opaque: 'b3BhcXVl', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: '21' },
      ];
      const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
      assert.equal((await post('/v1/chat/completions', { ...chatRequest, messages, tools })).status, 200);
      assert.deepEqual(mock.requests.at(-1).body.messages, messages);
      assert.deepEqual(mock.requests.at(-1).body.tools, tools);
    });

    it('/api/chat: what a provider wants to see again, and calls with their outputs, reach it', async () => {
      const [, ...said] = await lastValueFrom(
        ask({
          input: [
            { role: 'user', content: 'Hi' },
            {
              type: 'function_call',
              call_id: 'call_1',
              name: 'weather',
              arguments: '{}',
              extras: { extra_content: { google: { thought_signature: 'c2ln' } } },
            },
            { type: 'function_call_output', call_id: 'call_1', output: '21' },
          ],
          tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' } }],
        }).pipe(toArray()),
      );
      assert.equal(said.at(-1).type, 'completed');
      const { messages } = mock.requests.at(-1).body;
      assert.deepEqual(messages[1].tool_calls[0].extra_content, { google: { thought_signature: 'c2ln' } });
      assert.equal(messages[2].content, '21');
    });

    it('nothing that was sent has crashed it, or is in its log', () => {
      assert.doesNotMatch(backend.printed, /RangeError|SyntaxError|Unhandled|elsewhere\.example/);
    });

    describe('clients', () => {
      const tool = {
        name: 'weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      };
      const called = {
        content: [
          'Let me look.',
          { toolCall: { name: 'weather', arguments: { city: 'Oslo' }, id: 'call_1' } },
        ],
      };
      let openai;
      before(() => {
        openai = new OpenAI({ apiKey: 'none', baseURL: `${backend.origin}/v1` });
      });

      it('the openai package reads text, calls and usage', async () => {
        mock.enqueue(called);
        const completion = await openai.chat.completions
          .stream({
            model: 'mock',
            messages: [question],
            tools: [{ type: 'function', function: tool }],
            stream_options: { include_usage: true },
          })
          .finalChatCompletion();
        const [{ message, finish_reason }] = completion.choices;
        assert.equal(message.content, 'Let me look.');
        assert.deepEqual(
          message.tool_calls.map(({ id, type, function: { name, arguments: args } }) => [
            id,
            type,
            name,
            args,
          ]),
          [['call_1', 'function', 'weather', '{"city":"Oslo"}']],
        );
        assert.equal(finish_reason, 'tool_calls');
        assert.equal(completion.model, 'mock');
        assert.equal(typeof completion.usage.total_tokens, 'number');
      });

      it('the openai package reads a whole answer: text, calls and usage', async () => {
        const tools = [{ type: 'function', function: tool }];
        mock.enqueue(called, called);
        const whole = await openai.chat.completions.create({ model: 'mock', messages: [question], tools });
        const streamed = await openai.chat.completions
          .stream({ model: 'mock', messages: [question], tools, stream_options: { include_usage: true } })
          .finalChatCompletion();
        const [{ message, finish_reason }] = whole.choices;
        assert.equal(whole.object, 'chat.completion');
        assert.deepEqual(message, {
          role: 'assistant',
          content: 'Let me look.',
          refusal: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'weather', arguments: '{"city":"Oslo"}' },
            },
          ],
        });
        assert.equal(finish_reason, 'tool_calls');
        assert.equal(streamed.choices[0].message.content, message.content);
        assert.deepEqual(whole.usage, streamed.usage);
        assert.deepEqual(mock.requests.at(-2).body.tools, tools);
      });

      it('the openai package is told the status of a whole answer that fails, also in its middle', async () => {
        const ask = { model: 'mock', messages: [question] };
        const statusOf = async (...answers) => {
          mock.enqueue(...answers);
          const raised = await openai.chat.completions.create(ask, { maxRetries: 0 }).catch((error) => error);
          assert.ok(raised instanceof OpenAI.APIError);
          assert.doesNotMatch(JSON.stringify(raised.error), /sk-the|org-42/);
          return [raised.status, raised.type];
        };
        const error = { message: words, type: 'server_error', code: 'overloaded' };
        const middle = { content: ['The sky', { raw: `data: ${JSON.stringify({ error })}\n\n` }] };
        assert.deepEqual(await statusOf({ status: 401, error: { message: words } }), [502, 'server_error']);
        assert.deepEqual(await statusOf({ status: 400, error: { message: words } }), [
          ...[400, 'invalid_request_error'],
        ]);
        const busy = { status: 429, headers: { 'retry-after': '120' }, error: { message: words } };
        assert.deepEqual(await statusOf(busy), [429, 'rate_limit_error']);
        assert.deepEqual(await statusOf(middle), [502, 'server_error']);
        assert.deepEqual(await statusOf({ content: ['The sky', { cut: 'reset' }] }), [502, 'server_error']);
        assert.deepEqual(await statusOf({ content: ['The sky', { cut: 'close' }] }), [502, 'server_error']);
      });

      it('the openai package that aborts a whole answer aborts the turn at the provider', async () => {
        const { aborted, requests } = mock;
        const { length } = requests;
        mock.enqueue({ content: ['The sky', { wait: Infinity }] });
        const controller = new AbortController();
        const asked = openai.chat.completions.create(
          { model: 'mock', messages: [question] },
          { signal: controller.signal },
        );
        await mock.whenRequested(length + 1);
        controller.abort();
        await assert.rejects(asked, OpenAI.APIUserAbortError);
        await mock.whenAborted(aborted + 1);
      });

      it('the openai package is told of a status and does not retry what was retried', async () => {
        const before = mock.requests.length;
        mock.enqueue({ noAnswer: 'reset' }, { noAnswer: 'reset' }, { noAnswer: 'reset' });
        await assert.rejects(
          openai.chat.completions.create(chatRequest),
          (error) => error instanceof OpenAI.APIError && error.status === 502,
        );
        assert.equal(mock.requests.length, before + 3);
      });

      it('the openai package that aborts aborts the turn at the provider', async () => {
        const aborted = mock.aborted;
        mock.enqueue({ content: ['The sky', { wait: Infinity }] });
        const stream = await openai.chat.completions.create(chatRequest);
        for await (const { choices } of stream) {
          if (choices[0].delta.content === 'The sky') stream.controller.abort();
        }
        await mock.whenAborted(aborted + 1);
      });

      it('streamChatCompletions reads text, calls and usage', async () => {
        mock.enqueue(called);
        const prompt = { input: [question], tools: [{ type: 'function', ...tool }] };
        const events = await lastValueFrom(askLibrary(prompt, { includeUsage: true }).pipe(toArray()));
        const { item } = events.find((event) => event.item?.type === 'function_call');
        const { type, call_id, name: called_, arguments: args } = item;
        assert.deepEqual(
          [type, call_id, called_, args],
          ['function_call', 'call_1', 'weather', '{"city":"Oslo"}'],
        );
        assert.deepEqual(events[0], text('Let me look.'));
        assert.equal(events.at(-1).finishReason, 'tool_calls');
        assert.equal(typeof events.at(-1).usage.totalTokens, 'number');
      });

      it('streamChatCompletions that is unsubscribed aborts the turn at the provider', async () => {
        const aborted = mock.aborted;
        mock.enqueue({ content: ['The sky', { wait: Infinity }] });
        await new Promise((resolve, reject) => {
          const reading = askLibrary('Hi')
            .pipe(textDeltas())
            .subscribe({ error: reject, next: () => queueMicrotask(() => resolve(reading.unsubscribe())) });
        });
        await mock.whenAborted(aborted + 1);
      });
    });

    if (name !== 'NestJS') return;

    it('GET /api/chat: retries and errors are events', async () => {
      const limited = { message: words, code: 'rate_limit_exceeded' };
      const busy = { status: 429, headers: { 'retry-after': '0' }, error: limited };
      mock.enqueue(busy, busy, { status: 401, error: { message: words, code: 'invalid_api_key' } });
      const { status, text: stream } = await exchange(`${backend.origin}/api/chat?question=Hi`, {
        method: 'GET',
      });
      assert.equal(status, 200);
      const name = 'UnexpectedStatusError';
      const report = { name, status: 429, code: 'rate_limit_exceeded', retryAfter: 0 };
      assert.deepEqual(
        dataOf(stream).map((data) => JSON.parse(data)),
        [
          { type: 'retrying', attempt: 1, delay: 0, error: report },
          { type: 'retrying', attempt: 2, delay: 0, error: report },
          { type: 'error', error: { name, status: 401, code: 'invalid_api_key' } },
        ],
      );
    });

    it('POST /api/sse: what fails before the first event has a status, what fails later is an event', async () => {
      const error = { message: words, code: 'overloaded' };
      const middle = { content: ['The sky', { raw: `data: ${JSON.stringify({ error })}\n\n` }] };
      mock.enqueue({ status: 401, error: { message: words } }, middle);
      const early = await post('/api/sse', { prompt: 'Hi' });
      assert.equal(early.status, 502);
      assert.match(early.headers['content-type'], /^application\/json/);
      const late = await post('/api/sse', { prompt: 'Hi' });
      assert.equal(late.status, 200);
      assert.deepEqual(
        dataOf(late.text).map((data) => JSON.parse(data)),
        [text('The sky'), { type: 'error', error: { name: 'ProviderStreamError', code: 'overloaded' } }],
      );
    });

    it('GET /api/chat: no question is 400', async () => {
      for (const query of ['', '?question=', '?question=a&question=b']) {
        const { status } = await exchange(`${backend.origin}/api/chat${query}`, { method: 'GET' });
        assert.equal(status, 400, query);
      }
    });

    it('serves the files of the front end', async () => {
      const { status, headers, text: page } = await exchange(backend.origin, { method: 'GET' });
      assert.equal(status, 200);
      assert.match(headers['content-type'], /^text\/html/);
      assert.equal(page, '<title>Chat</title>');
    });
  });
}

describe('settings', { timeout: 300_000 }, () => {
  it('a backend without a key answers 500 and says in its log what is missing', async () => {
    const backend = await startBackend('variants/node-http.mjs', {});
    try {
      const { status, text: answer } = await exchange(`${backend.origin}/api/chat`, {
        body: { prompt: 'Hi' },
      });
      assert.equal(status, 500);
      assert.equal(JSON.parse(answer).error.message, 'The backend is not set up.');
    } finally {
      await backend.stop();
    }
    assert.match(backend.printed, /MissingApiKeyError.*OPENAI_API_KEY/);
  });
});

/** Settles when a count stands still or has come to its end. */
async function whenStill(count, end) {
  for (let still = 0, before = -1; still < 40 && count() < end;) {
    await sleep(5);
    still = count() === before ? still + 1 : 0;
    before = count();
  }
}
