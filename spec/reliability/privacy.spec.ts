import { inspect } from 'node:util';
import {
  type ChatCompletionsError,
  type Diagnostic,
  fetchTransport,
  type HttpResponse,
  type ModelProvider,
  ProviderStreamError,
  type ResponseEvent,
  RetryLimitError,
  runTools,
  streamChatCompletions,
  StreamError,
  tool,
  ToolError,
  type Transport,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
} from '../../src/index.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { NEVER, of, throwError, VirtualTimeScheduler } from 'rxjs';
import { leaksOf } from './taint.js';

// With characters that JSON and URLs write in other ways.
const taint = {
  key: 'sk-taint "q"+\\4Fh2mQx9Zr&=%',
  prompt: 'prompt-taint-7Kd3wLp5Vn',
  answer: 'answer-taint-9Bt6yGc1Js',
};
const { key, answer } = taint;
const inJson = JSON.stringify(key).slice(1, -1);
// One that can stand in every header.
const plainKey = 'sk-plain.4Fh2mQx9Zr7Lw3';

/** Every character as JSON may write it. */
const escaped = (text: string): string =>
  Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

let mock: MockProvider | undefined;

afterEach(async () => {
  await mock?.close();
  mock = undefined;
});

interface Told {
  readonly error: ChatCompletionsError;
  readonly diagnostics: readonly Diagnostic[];
}

/** The error of a turn against a provider that always answers so, and all that was reported meanwhile. */
async function failing(given: MockAnswer, apiKey = key): Promise<Told> {
  const provider = (mock = await startMockProvider({ pace: 0, answers: () => given }));
  const diagnostics: Diagnostic[] = [];
  const error = await new Promise<ChatCompletionsError>((resolve, reject) => {
    streamChatCompletions(taint.prompt, {
      model: 'm',
      provider: { name: 'p', baseUrl: provider.baseUrl, apiKey },
      transport: fetchTransport(),
      retry: { maxRetries: 0 },
      diagnostics: (diagnostic) => void diagnostics.push(diagnostic),
    }).subscribe({ error: resolve, complete: () => reject(new Error('The turn completed.')) });
  });
  expect(provider.requests[0]?.headers.authorization).toBe(`Bearer ${apiKey}`);
  return { error, diagnostics };
}

/** Where the provider's words stand, by the class of the error. */
const words = ({ error }: Told): string | undefined => {
  if (error instanceof UnexpectedStatusError || error instanceof RetryLimitError) return error.body;
  if (error instanceof ProviderStreamError) return error.providerMessage;
  return error instanceof UnexpectedContentError ? error.snippet : undefined;
};

/** Whether nothing was given away, with no part of the key that is long enough to be one. */
function expectKept({ error, diagnostics }: Told, apiKey = key): void {
  const forms = [
    apiKey,
    JSON.stringify(apiKey).slice(1, -1),
    encodeURIComponent(apiKey),
    escaped(apiKey),
    apiKey.slice(0, 12),
  ];
  for (const told of [error, ...diagnostics]) {
    for (const form of forms) expect(leaksOf(told, { ...taint, key: form })).toEqual([]);
  }
}

describe.each([400, 401, 429, 503])('an answer with status %i that repeats the key', (status) => {
  it.each([
    ['as it is', `${answer} ${key} twice: ${key}`, `${answer} *** twice: ***`],
    ['with its scheme', `${answer} Bearer ${key}.`, `${answer} Bearer ***.`],
    ['inside JSON', `{"error":"${inJson} ${answer}"}`, `{"error":"*** ${answer}"}`],
    ['as in a URL', `${answer} /?key=${encodeURIComponent(key)}&a`, `${answer} /?key=***&a`],
    ['as in a form', `${answer} ${new URLSearchParams({ key }).toString()}&a=b`, `${answer} key=***&a=b`],
    ['escaped inside JSON', `{"error":"${escaped(key)} ${answer}"}`, `{"error":"*** ${answer}"}`],
    [
      'escaped inside JSON, in capitals',
      `{"error":"${escaped(key).toUpperCase().replaceAll('U', 'u')} ${answer}"}`,
      `{"error":"*** ${answer}"}`,
    ],
    ['escaped inside JSON within JSON', JSON.stringify({ raw: `"${escaped(key)}"` }), '{"raw":"\\"***\\""}'],
    [
      'as Go writes JSON',
      `{"error":"${inJson.replaceAll('&', '\\u0026')} ${answer}"}`,
      `{"error":"*** ${answer}"}`,
    ],
    [
      'as PHP writes JSON for pages',
      `{"error":"${inJson.replaceAll('\\"', '\\u0022')} ${answer}"}`,
      `{"error":"*** ${answer}"}`,
    ],
    ['cut inside an escape', `${answer} ${escaped(key.slice(0, 12))}\\u00`, `${answer} ***`],
    ['cut by its end', `${answer} ${key.slice(0, -3)}`, `${answer} ***`],
    [
      'cut by the bound on what is read',
      `${' '.repeat(64 * 1024 - 15)}${key}`,
      `${' '.repeat(64 * 1024 - 15)}***`,
    ],
  ])('%s holds `***` in its place', async (_, body, redacted) => {
    const told = await failing({ status, body, headers: { 'content-type': 'text/plain' } });
    expect(words(told)).toBe(redacted);
    expectKept(told);
  });

  it('where a connection broke in the middle of it holds `***` in its place', async () => {
    const told = await failing({
      status,
      body: [`${answer} ${key.slice(0, 20)}`, { wait: 5 }, { cut: 'close' }],
    });
    expect(words(told)).toBe(`${answer} ***`);
    expectKept(told);
  });
});

describe('a key that is repeated inside an answer with status 200', () => {
  it.each<[string, MockAnswer, string]>([
    [
      'in an error of the stream',
      { content: [answer, { raw: `data: ${JSON.stringify({ error: { message: `No: ${key}` } })}\n\n` }] },
      'No: ***',
    ],
    [
      'in the code and the type of that error',
      { body: `data: ${JSON.stringify({ error: { message: 'No', code: key, type: key } })}\n\n` },
      'No',
    ],
    [
      'in an error of the stream, escaped',
      { body: `data: {"error":{"message":"No: ${escaped(key)}"}}\n\n` },
      'No: ***',
    ],
    [
      'in an error of the stream that quotes JSON, escaped',
      { body: `data: ${JSON.stringify({ error: { message: `No: "${escaped(key)}"` } })}\n\n` },
      'No: "***"',
    ],
    [
      'in an event named error that is no JSON, escaped',
      { body: `event: error\ndata: No: ${escaped(key)}\n\n` },
      'No: ***',
    ],
    ['in JSON of another kind, escaped', { body: `{"note":"${escaped(key)}"}` }, '{"note":"***"}'],
    [
      'in a page, escaped',
      { body: `<script>"${escaped(key)}"</script>`, headers: { 'content-type': 'text/html' } },
      '<script>"***"</script>',
    ],
    ['in an event named error that is no JSON', { body: `event: error\ndata: No: ${key}\n\n` }, 'No: ***'],
    ['in an error as JSON', { json: { error: { message: `No: ${key}` } } }, 'No: ***'],
    ['in a page', { body: `<p>${key}</p>`, headers: { 'content-type': 'text/html' } }, '<p>***</p>'],
  ])('%s is `***`', async (_, given, redacted) => {
    const told = await failing(given);
    expect(words(told)).toBe(redacted);
    expectKept(told);
  });
});

describe('a key that is repeated', () => {
  it.each<[string, MockAnswer]>([
    ['in the address of a redirect', { status: 307, headers: { location: `/${encodeURIComponent(key)}` } }],
    ['in a code', { status: 400, error: { message: answer, code: key, type: key } }],
    ['in the request id', { status: 400, headers: { 'x-request-id': key } }],
    ['in the media type', { body: answer, headers: { 'content-type': `text/${key}` } }],
  ])('%s stands nowhere', async (_, given) => {
    expectKept(await failing(given));
  });
});

describe('an answer in which no escape hides the key', () => {
  it('is kept as it came', async () => {
    const body = `{"error":"caf\\u00e9 ${answer} \\\\u0026 \\u0022"}`;
    expect(words(await failing({ status: 400, body }))).toBe(body);
  });
});

describe('a key that a header repeats', () => {
  const answers: readonly [string, MockAnswer][] = [
    ['an answer with status 400', { status: 400 }],
    ['an answer with status 429', { status: 429 }],
    ['an answer with status 503', { status: 503 }],
    ['a stream that reports an error', { body: 'data: {"error":{"message":"No"}}\n\n' }],
  ];

  it.each(
    answers.flatMap(([which, given]) =>
      [
        [plainKey, '***'],
        [`req-${plainKey}-1`, 'req-***-1'],
        [plainKey.slice(0, 14), '***'],
      ].map(([id = '', told = '']) => ({ which, given, id, told })),
    ),
  )('as the request id "$id" of $which is told of as $told, and stands in no error', async (row) => {
    const told = await failing({ ...row.given, headers: { 'x-request-id': row.id } }, plainKey);
    expect(told.error).not.toHaveProperty('requestId', expect.any(String));
    expect(told.diagnostics).toContainEqual(
      expect.objectContaining({ type: 'response', requestId: row.told }),
    );
    expectKept(told, plainKey);
  });

  it.each(answers)('as a rate limit of %s is told of as ***', async (_, given) => {
    const headers = {
      'x-ratelimit-limit-requests': plainKey,
      'x-ratelimit-remaining-tokens': `key=${plainKey};`,
      'x-ratelimit-reset-tokens': escaped(plainKey),
      'retry-after': `Bearer ${plainKey}`,
    };
    const told = await failing({ ...given, headers }, plainKey);
    expect(told.diagnostics).toContainEqual(
      expect.objectContaining({
        type: 'response',
        rateLimits: {
          'x-ratelimit-limit-requests': '***',
          'x-ratelimit-remaining-tokens': 'key=***;',
          'x-ratelimit-reset-tokens': '***',
          'retry-after': 'Bearer ***',
        },
      }),
    );
    expectKept(told, plainKey);
  });
});

describe('a key that an answer repeats in an encoding', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const forms: readonly [string, string][] = [
    ['Base64', base64(plainKey)],
    ['Base64 for URLs', Buffer.from(plainKey).toString('base64url')],
    ['Basic credentials', `Basic ${base64(`user:${plainKey}`)}`],
    ['Base64 of what it stands in', base64(`{"authorization":"Bearer ${plainKey}","a":1}`)],
    ['Base64 in a URL', encodeURIComponent(base64(`ab:${plainKey}`))],
    ['hex', Buffer.from(plainKey).toString('hex')],
    ['a URL, twice', encodeURIComponent(encodeURIComponent(plainKey.replace('.', '%2E')))],
    ['a URL, every character', Buffer.from(plainKey).toString('hex').replace(/../g, '%$&')],
    ['HTML references', Array.from(plainKey, (one) => `&#${one.charCodeAt(0)};`).join('')],
    [
      'HTML references, twice',
      Array.from(plainKey, (one) => `&amp;#x${one.charCodeAt(0).toString(16)};`).join(''),
    ],
    ['JSON in a URL', encodeURIComponent(escaped(plainKey))],
  ];
  const places: readonly [string, (form: string) => MockAnswer][] = [
    ['an error’s body', (form) => ({ status: 400, body: `${answer} ${form} ${answer}` })],
    ['an error of the stream', (form) => ({ body: `event: error\ndata: ${form}\n\n` })],
    ['a page', (form) => ({ body: `<p>${form}</p>`, headers: { 'content-type': 'text/html' } })],
    [
      'a request id and a rate limit',
      (form) => ({
        status: 429,
        headers: { 'x-request-id': form, 'x-ratelimit-reset-tokens': form },
      }),
    ],
    ['a code', (form) => ({ status: 400, error: { message: answer, code: form, type: form } })],
    ['a media type', (form) => ({ body: 'private', headers: { 'content-type': `text/${form}; a=b` } })],
  ];

  it.each(places.flatMap(([place, given]) => forms.map(([name, form]) => ({ place, given, name, form }))))(
    '($name) stands in nothing that comes of $place',
    async ({ given, form }) => {
      const told = await failing(given(form), plainKey);
      for (const one of [told.error, ...told.diagnostics])
        expect(leaksOf(one, { ...taint, key: plainKey.slice(2, -2) })).toEqual([]);
    },
  );
});

describe('a key that is a word', () => {
  it.each(['x', 'key', 'none', 'ollama'])(
    '("%s") leaves codes, ids and the provider’s words as they are',
    async (word) => {
      const message = `the ${word} is invalid`;
      const headers = { 'x-request-id': `req-${word}-1` };
      const { error, diagnostics } = await failing(
        { status: 401, error: { message, code: `invalid_${word}` }, headers },
        word,
      );
      expect(error).toMatchObject({ code: `invalid_${word}`, requestId: `req-${word}-1` });
      expect(words({ error, diagnostics })).toContain(message);
      expect(diagnostics).toContainEqual(expect.objectContaining({ requestId: `req-${word}-1` }));
    },
  );
});

describe('what a transport fails with', () => {
  const config = (request: object) => ({ config: request, request, response: { config: request } });
  const nest = (error: Error, depth: number): Error =>
    depth === 0 ? error : nest(new Error('around', { cause: error }), depth - 1);
  const guarded = (properties: readonly string[]) =>
    Object.defineProperties(
      new Error('guarded'),
      Object.fromEntries(
        properties.map((name) => [
          name,
          {
            enumerable: true,
            get: () => {
              throw new Error(plainKey);
            },
          },
        ]),
      ),
    );
  const quoted = `cannot send "Bearer ${plainKey}"`;
  const failures: readonly [string, (request: object) => unknown][] = [
    ['an error that quotes the key', () => new TypeError(quoted)],
    ['an error that holds the request', (request) => Object.assign(new Error('failed'), config(request))],
    ['an object that holds the request', (request) => ({ message: 'failed', ...config(request) })],
    ['a frozen one', (request) => Object.freeze(Object.assign(new Error(quoted), config(request)))],
    ['an error deep below', (request) => nest(Object.assign(new Error(quoted), config(request)), 9)],
    ['an error deeper below', (request) => nest(Object.assign(new Error(quoted), config(request)), 40)],
    [
      'several errors',
      (request) => new AggregateError([Object.assign(new Error(quoted), config(request)), quoted]),
    ],
    [
      'an error whose getters throw',
      () => guarded(['name', 'code', 'errno', 'syscall', 'cause', 'errors', 'config']),
    ],
    ['a text', () => quoted],
    [
      'an error with the key for its name and code',
      () => Object.assign(new Error(''), { name: plainKey, code: plainKey }),
    ],
    [
      'an error with Basic credentials',
      () => new Error(`Basic ${Buffer.from(`u:${plainKey}`).toString('base64')}`),
    ],
    [
      'the library’s, with a cause that holds the request',
      (request) => new TransportError({ cause: Object.assign(new Error(quoted), config(request)) }),
    ],
    [
      'the library’s, frozen',
      (request) =>
        Object.freeze(new StreamError({ cause: Object.assign(new Error(quoted), config(request)) })),
    ],
  ];
  const provider: ModelProvider = {
    name: 'p',
    baseUrl: 'http://p.test/v1',
    apiKey: plainKey,
    apiKeyHeader: 'X-Mine',
  };

  function failingOver(transport: Transport): Promise<Told> {
    const diagnostics: Diagnostic[] = [];
    return new Promise((resolve, reject) => {
      streamChatCompletions(taint.prompt, {
        model: 'm',
        provider,
        transport,
        retry: { maxRetries: 1, initialDelay: 0 },
        diagnostics: (diagnostic) => void diagnostics.push(diagnostic),
      }).subscribe({
        error: (error: unknown) => resolve({ error: error as ChatCompletionsError, diagnostics }),
        complete: () => reject(new Error('The turn completed.')),
      });
    });
  }

  it.each(failures)('(%s) gives nothing away before an answer', async (_, failure) => {
    const told = await failingOver((request) => throwError(() => failure(request)));
    expectKept(told, plainKey);
  });

  it.each(failures)('(%s) gives nothing away inside an answer', async (_, failure) => {
    const headers = { get: (name: string) => (name === 'content-type' ? 'text/event-stream' : null) };
    const told = await failingOver((request) =>
      of<HttpResponse>({ status: 200, headers, body: throwError(() => failure(request)) }),
    );
    expectKept(told, plainKey);
  });

  it.each(failures)('(%s) gives nothing away as what fetch rejects with', async (_, failure) => {
    const told = await failingOver((request) => {
      const headers = { ...request.headers, Authorization: `Bearer ${plainKey}` };
      const fetch = async (): Promise<never> => {
        throw failure({ ...request, headers });
      };
      return fetchTransport({ fetch })({ ...request, headers });
    });
    expectKept(told, plainKey);
  });

  it('gives away no path that holds the key', () => {
    const told: Diagnostic[] = [];
    streamChatCompletions('Hi', {
      model: 'm',
      provider: { ...provider, baseUrl: `http://p.test/${plainKey}/v1`, queryParams: { a: plainKey } },
      transport: () => NEVER,
      diagnostics: (diagnostic) => void told.push(diagnostic),
    })
      .subscribe()
      .unsubscribe();
    expect(told[1]).toMatchObject({ type: 'request', url: 'http://p.test/***/v1/chat/completions' });
  });

  it.each<[string, Transport]>([
    ['fetch', fetchTransport()],
    ['nodeTransport', nodeTransport()],
  ])('keeps the code and the syscall of a connection that was refused, over %s', async (_, transport) => {
    const gone = await startMockProvider({ pace: 0 });
    const { baseUrl } = gone;
    await gone.close();
    const failure = await new Promise<TransportError>((error) => {
      streamChatCompletions('Hi', {
        model: 'm',
        provider: { name: 'p', baseUrl },
        transport,
        retry: { maxRetries: 0 },
      }).subscribe({ error });
    });
    expect(failure.message).toBe(
      `Could not reach "p" at ${new URL(baseUrl).origin} (ECONNREFUSED). Is it running?`,
    );
    expect(inspect(failure)).toContain("syscall: 'connect'");
  });
});

describe('a run', () => {
  const { prompt } = taint;
  const item = (name: string, args: string, callId = name): ResponseEvent => ({
    type: 'output_item_done',
    item: { type: 'function_call', call_id: callId, name, arguments: args },
  });
  const city = { validate: (value: unknown) => value, jsonSchema: {} };
  const refusing = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => ({ issues: [{ message: JSON.stringify(value), path: [prompt] }] }),
      jsonSchema: { input: () => ({}) },
    },
  };
  const args = JSON.stringify({ [prompt]: answer });
  const incomplete: ResponseEvent = {
    type: 'function_call_arguments_delta',
    callId: 'c',
    name: prompt,
    index: 0,
    delta: args,
  };
  const tools = [
    tool({ name: 'refusing', input: refusing, execute: () => answer }),
    tool({ name: 'unwritable', input: city, execute: () => ({ [answer]: 1n }) }),
    tool({ name: 'slow', input: city, timeout: 1, execute: () => NEVER }),
    tool({ name: 'asking', input: city, approve: true, execute: () => answer }),
  ];

  it.each<[string, ResponseEvent, string]>([
    ['a tool that there is not', item(prompt, args, 'c'), 'unknown_tool'],
    ['arguments that are no JSON', item('refusing', `{${args}`), 'invalid_arguments'],
    ['arguments that do not match', item('refusing', args), 'invalid_arguments'],
    ['a call that was cut', incomplete, 'incomplete_arguments'],
    ['an output that cannot be written', item('unwritable', args), 'failed'],
    ['a tool that takes too long', item('slow', args), 'timeout'],
    ['a call that was rejected', item('asking', args), 'rejected'],
  ])('gives nothing away in the error of %s', (_, event, code) => {
    const scheduler = new VirtualTimeScheduler();
    const errors: ToolError[] = [];
    runTools(prompt, {
      turn: () => [event, { type: 'completed', responseId: '', finishReason: 'length', usage: null }],
      tools,
      maxTurns: 1,
      approve: () => ({ approved: false, reason: prompt }),
      scheduler,
    }).subscribe((told) => {
      if (told.type === 'tool_finished' && told.error instanceof ToolError) errors.push(told.error);
    });
    scheduler.flush();
    expect(errors.map((error) => error.code)).toEqual([code]);
    const [error] = errors;
    for (const text of [error!.message, error!.stack, inspect(error), JSON.stringify(error)]) {
      expect(text).not.toContain(prompt);
      expect(text).not.toContain(answer);
    }
    // Where an application looks for them by their names, and nowhere else.
    const { issues, toolName, ...rest } = Object.getOwnPropertyDescriptors(error!);
    expect([issues.enumerable, toolName.enumerable]).toEqual([false, false]);
    expect(leaksOf(Object.defineProperties({}, rest), { ...taint, key: 'none of it' })).toEqual([]);
  });
});
