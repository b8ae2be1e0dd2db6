import {
  type ChatCompletionsError,
  type Diagnostic,
  fetchTransport,
  ProviderStreamError,
  RetryLimitError,
  streamChatCompletions,
  UnexpectedContentError,
  UnexpectedStatusError,
} from '../../src/index.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { leaksOf } from './taint.js';

// With characters that JSON and URLs write in other ways.
const taint = {
  key: 'sk-taint "q"+\\4Fh2mQx9Zr&=%',
  prompt: 'prompt-taint-7Kd3wLp5Vn',
  answer: 'answer-taint-9Bt6yGc1Js',
};
const { key, answer } = taint;
const inJson = JSON.stringify(key).slice(1, -1);

let mock: MockProvider;

afterEach(() => mock.close());

interface Told {
  readonly error: ChatCompletionsError;
  readonly diagnostics: readonly Diagnostic[];
}

/** The error of a turn against a provider that always answers so, and all that was reported meanwhile. */
async function failing(given: MockAnswer): Promise<Told> {
  mock = await startMockProvider({ pace: 0, answers: () => given });
  const diagnostics: Diagnostic[] = [];
  const error = await new Promise<ChatCompletionsError>((resolve, reject) => {
    streamChatCompletions(taint.prompt, {
      model: 'm',
      provider: { name: 'p', baseUrl: mock.baseUrl, apiKey: key },
      transport: fetchTransport(),
      retry: { maxRetries: 0 },
      diagnostics: (diagnostic) => void diagnostics.push(diagnostic),
    }).subscribe({ error: resolve, complete: () => reject(new Error('The turn completed.')) });
  });
  expect(mock.requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
  return { error, diagnostics };
}

/** Where the provider's words stand, by the class of the error. */
const words = ({ error }: Told): string | undefined => {
  if (error instanceof UnexpectedStatusError || error instanceof RetryLimitError) return error.body;
  if (error instanceof ProviderStreamError) return error.providerMessage;
  return error instanceof UnexpectedContentError ? error.snippet : undefined;
};

/** Whether nothing was given away, with no part of the key that is long enough to be one. */
function expectKept({ error, diagnostics }: Told): void {
  for (const told of [error, ...diagnostics]) {
    for (const secret of [key, inJson, encodeURIComponent(key), key.slice(0, 12)])
      expect(leaksOf(told, { ...taint, key: secret })).toEqual([]);
  }
}

describe.each([400, 401, 429, 503])('an answer with status %i that repeats the key', (status) => {
  it.each([
    ['as it is', `${answer} ${key} twice: ${key}`, `${answer} *** twice: ***`],
    ['with its scheme', `${answer} Bearer ${key}.`, `${answer} Bearer ***.`],
    ['inside JSON', `{"error":"${inJson} ${answer}"}`, `{"error":"*** ${answer}"}`],
    ['as in a URL', `${answer} /?key=${encodeURIComponent(key)}&a`, `${answer} /?key=***&a`],
    ['as in a form', `${answer} ${new URLSearchParams({ key }).toString()}&a=b`, `${answer} key=***&a=b`],
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
