// Attacks the backends among the examples (attack-backend.mjs), in this process: an error that nobody catches fails
// the attack at which it came.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMockProvider } from '../dist/esm/mock-provider/index.js';
import { nodeTransport } from '../dist/esm/node/index.js';
import { attacksOn, forbiddenParams } from './attack-backend.mjs';

const examples = new URL('../examples/', import.meta.url);
const key = 'sk-the-key-of-the-backend';

const message = { role: 'user', content: 'Why is the sky blue?' };
const chat = { model: 'sky', messages: [message], stream: true };
const withMessage = (changes) => ({ ...chat, messages: [{ ...message, ...changes }] });
const withEach = (name, values) => values.map((value) => ({ ...chat, [name]: value }));

const backends = [
  {
    file: 'own-backend.mjs',
    maxBodyBytes: 65_536,
    options: { model: 'mock', params: { max_tokens: 1_000 } },
    good: { question: message.content },
    bad: {
      'a question of another form': [null, 5, true, [], {}, ['Hi'], { text: 'Hi' }, '', ' \n'].map(
        (question) => ({
          question,
        }),
      ),
    },
    forbidden: { ...forbiddenParams, model: 'expensive', max_tokens: 1e9, tools: [{ type: 'mcp' }] },
    ignores: true,
    sent: (body) =>
      assert.deepEqual(body, { model: 'mock', messages: [message], max_tokens: 1_000, stream: true }),
  },
  {
    file: 'openai-compatible-backend.mjs',
    maxBodyBytes: 1_048_576,
    options: { transport: nodeTransport() },
    good: chat,
    bad: {
      'another model': withEach('model', [undefined, null, '', 'expensive', 5, ['sky'], {}, '__proto__']),
      'messages of another form': [
        ...withEach('messages', [
          undefined,
          null,
          'Hi',
          {},
          [],
          [null],
          [5],
          ['Hi'],
          [[]],
          [{}],
          { length: 1 },
        ]),
        ...[undefined, null, 'tool', 'root', '', 5, ['user'], '__proto__'].map((role) =>
          withMessage({ role }),
        ),
        ...[undefined, null, 5, {}, [], [{ type: 'file', file: { file_id: 'file-1' } }]].map((content) =>
          withMessage({ content }),
        ),
        ...['name', 'tool_calls', 'audio', 'toString'].map((name) => withMessage({ [name]: [] })),
        { ...chat, messages: Array.from({ length: 101 }, () => message) },
        { ...chat, messages: Array.from({ length: 10_000 }, () => ({ role: 'user', content: '' })) },
      ],
      'a stream of another form': withEach('stream', ['true', 1, {}, []]),
      'a parameter of another form': [
        ...withEach('max_tokens', [null, 0, -1, 1.5, '5', [], {}, true]),
        ...withEach('temperature', [null, -1, 3, '1', [], {}]),
        ...withEach('stream_options', [null, 'usage', 5]),
        JSON.stringify(chat).replace('{', '{"max_tokens":1e999,'),
      ],
    },
    forbidden: {
      ...forbiddenParams,
      tools: [{ type: 'mcp', server_url: 'http://elsewhere.example' }],
      tool_choice: 'required',
      response_format: { type: 'json_object' },
      max_completion_tokens: 1_000_000,
      reasoning_effort: 'high',
      stop: ['x'],
    },
    sent: ({ max_tokens: maxTokens, ...body }) => {
      assert.ok(maxTokens <= 1_000, `${maxTokens} tokens`);
      const { temperature: _, ...rest } = body;
      assert.deepEqual(rest, chat);
    },
    also: async ({ check, ask, mock }) => {
      await check('the longest answer has a limit, whatever is asked for', async () => {
        for (const [asked, limit] of [
          [undefined, 1_000],
          [10, 10],
          [Number.MAX_SAFE_INTEGER, 1_000],
          [1e300, 1_000],
        ]) {
          assert.equal((await ask({ ...chat, max_tokens: asked })).status, 200);
          assert.equal(mock.requests.at(-1).body.max_tokens, limit);
        }
      });
    },
  },
];

/** @param check - runs an attack under its name */
export async function attackExamples(check) {
  const unhandled = [];
  const keep = (error) => unhandled.push(error);
  process.on('unhandledRejection', keep).on('uncaughtException', keep);
  for (const { file, options, also, ...backend } of backends) {
    const mock = await startMockProvider({ pace: 0 });
    const { createBackend } = await import(new URL(file, examples));
    const provider = { name: 'mock', baseUrl: mock.baseUrl, apiKey: key };
    const servers = [
      createBackend({ ...options, provider }),
      createBackend({ ...options, provider }, { requestTimeout: 200, checkingInterval: 20 }),
    ];
    const [url, slowUrl] = await Promise.all(
      servers.map(async (server) => {
        await once(server.listen(0, '127.0.0.1'), 'listening');
        return `http://127.0.0.1:${server.address().port}/v1/chat/completions`;
      }),
    );
    const attack = (name, run) =>
      check(`examples/${file}: ${name}`, async () => {
        await withinLimit(run());
        // What nobody catches is told a task later.
        await new Promise(setImmediate);
        assert.deepEqual(unhandled.splice(0), []);
      });
    const attacks = attacksOn({ ...backend, url: () => url, slowUrl: () => slowUrl, mock: () => mock });
    for (const [name, run] of attacks) await attack(name, run);
    const ask = (body) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then(async (response) => ({ status: response.status, text: await response.text() }));
    await also?.({ check: attack, ask, mock });
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await mock.close();
  }
  await attackHandler((name, run) =>
    check(`examples/readable-stream.mjs: ${name}`, async () => {
      await withinLimit(run());
      await new Promise(setImmediate);
      assert.deepEqual(unhandled.splice(0), []);
    }),
  );
  process.off('unhandledRejection', keep).off('uncaughtException', keep);

  await check('what the backends among the examples share is the same in each', () => {
    const [first, ...others] = backends.map(
      ({ file }) =>
        /^class Refusal[^]*?\nfunction refuse[^]*?\n\}$/m.exec(
          readFileSync(new URL(file, examples), 'utf8'),
        )[0],
    );
    for (const other of others) assert.equal(other, first);
  });
}

/** What hangs, fails. */
async function withinLimit(attack, milliseconds = 60_000) {
  const clock = new AbortController();
  const late = sleep(milliseconds, undefined, clock).then(() => {
    throw new Error(`It did not end within ${milliseconds} ms.`);
  });
  late.catch(() => {});
  await Promise.race([attack, late]).finally(() => clock.abort());
}

/** A handler has no connection: its requests are attacked as they are handed to it. */
async function attackHandler(check) {
  const mock = await startMockProvider({ pace: 0 });
  const { createHandler } = await import(new URL('readable-stream.mjs', examples));
  const options = { model: 'mock', provider: { name: 'mock', baseUrl: mock.baseUrl, apiKey: key } };
  const handle = createHandler(options);
  const post = (body) => new Request('http://backend/', { method: 'POST', body, duplex: 'half' });
  let cancelled = 0;
  const stream = (source) => new ReadableStream({ ...source, cancel: () => void (cancelled += 1) });

  for (const [name, handler, status, request] of [
    ['an empty body is 400', handle, 400, () => post('')],
    ['another method is 405', handle, 405, () => new Request('http://backend/')],
    [
      'a body without end is 413, and is cancelled',
      handle,
      413,
      () => post(stream({ pull: (controller) => controller.enqueue(new Uint8Array(2 ** 16)) })),
    ],
    [
      'a body that stops is 408, and is cancelled',
      createHandler(options, { timeout: 20 }),
      408,
      () => post(stream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })),
    ],
    [
      'a body that breaks is 400',
      handle,
      400,
      () => post(stream({ pull: (controller) => controller.error(new Error(key)) })),
    ],
  ]) {
    await check(name, async () => {
      const before = cancelled;
      // The clock of AbortSignal.timeout() does not hold a process; a server's connection does.
      const connection = setInterval(() => {}, 1_000);
      const response = await handler(request()).finally(() => clearInterval(connection));
      assert.equal(response.status, status);
      assert.doesNotMatch(await response.text(), /sk-/);
      assert.equal(cancelled - before, /cancelled/.test(name) ? 1 : 0);
      assert.equal(mock.requests.length, 0);
    });
  }
  await check('answers a good request', async () => {
    mock.enqueue({ content: 'It stands.' });
    assert.equal(await (await handle(post('Hi'))).text(), 'It stands.');
  });
  await mock.close();
}
