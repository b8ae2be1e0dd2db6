import { AzureOpenAI } from 'openai';
import type { Observable } from 'rxjs';
import {
  azureOpenAI,
  type AzureOpenAIOptions,
  MissingApiKeyError,
  ProviderStreamError,
  type ResponseEvent,
  streamChatCompletions,
  UnexpectedStatusError,
} from '../../src/index.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { completed, text } from '../support/events.js';
import { eventsOf, failureOf } from './turn-outcome.js';

const apiKey = '0123456789abcdef0123456789abcdef';
const apiVersion = '2024-10-21';

let mock: MockProvider;
let endpoint: string;
let environmentKey: string | undefined;

async function answering(...answers: MockAnswer[]): Promise<void> {
  mock = await startMockProvider({ pace: 0, answers });
  endpoint = `http://127.0.0.1:${mock.port}`;
}

beforeEach(() => {
  environmentKey = process.env['AZURE_OPENAI_API_KEY'];
  delete process.env['AZURE_OPENAI_API_KEY'];
});
afterEach(async () => {
  if (environmentKey === undefined) delete process.env['AZURE_OPENAI_API_KEY'];
  else process.env['AZURE_OPENAI_API_KEY'] = environmentKey;
  await mock.close();
});

const ask = (settings: Partial<AzureOpenAIOptions> = { apiKey }): Observable<ResponseEvent> =>
  streamChatCompletions('Hello', {
    model: 'gpt-4o',
    provider: azureOpenAI({ endpoint, deployment: 'gpt-4o', apiVersion, ...settings }),
  });

const finished = completed({ responseId: 'chatcmpl-mock-1', model: 'gpt-4o', finishReason: 'stop' });

describe('a deployment of Azure OpenAI', () => {
  it('is asked at its own address and version, with the key in the api-key header alone', async () => {
    await answering({ content: 'Hello there.' });
    expect(await eventsOf(ask())).toEqual([text('Hello'), text(' there.'), finished]);
    expect(mock.requests).toHaveLength(1);
    const { url, headers, body } = await mock.whenRequested();
    expect(url).toBe('/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21');
    expect(headers['api-key']).toBe(apiKey);
    expect(headers).not.toHaveProperty('authorization');
    expect(body).toEqual({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    });
  });

  it("is asked as OpenAI's own client for Azure asks it", async () => {
    await answering();
    await eventsOf(ask());
    const client = new AzureOpenAI({ endpoint, deployment: 'gpt-4o', apiVersion, apiKey, maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    });
    for await (const { id } of stream) expect(id).toBe('chatcmpl-mock-2');
    const [ours, theirs] = mock.requests.map(({ url, headers, body }) => ({
      url,
      body,
      key: headers['api-key'],
      authorization: headers.authorization,
    }));
    expect(ours).toEqual(theirs);
  });

  it('may have an endpoint that ends in a slash and a name that a path cannot hold', async () => {
    await answering();
    await eventsOf(ask({ apiKey, endpoint: `${endpoint}/`, deployment: 'team a/gpt?4' }));
    expect(mock.requests.map(({ url }) => url)).toEqual([
      '/openai/deployments/team%20a%2Fgpt%3F4/chat/completions?api-version=2024-10-21',
    ]);
  });

  it('takes its key from the environment', async () => {
    await answering();
    process.env['AZURE_OPENAI_API_KEY'] = 'key-of-the-environment';
    await eventsOf(ask({}));
    expect(mock.requests.map(({ headers }) => headers['api-key'])).toEqual(['key-of-the-environment']);
  });

  it('is not asked without a key', async () => {
    await answering();
    const { events, error } = await failureOf(ask({}));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(MissingApiKeyError);
    expect(error).toMatchObject({ envKey: 'AZURE_OPENAI_API_KEY' });
    expect(mock.requests).toEqual([]);
  });

  it('has its prompt filter results passed over, and its content filter named', async () => {
    await answering({
      content: [
        { chunk: { id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] } },
        { delta: { content: 'Well' } },
        { chunk: { choices: [{ index: 0, content_filter_offsets: {}, content_filter_results: {} }] } },
      ],
      finishReason: 'content_filter',
    });
    expect(await eventsOf(ask())).toEqual([text('Well'), { ...finished, finishReason: 'content_filter' }]);
  });
});

describe('the key of a deployment of Azure OpenAI', () => {
  it('is replaced in an error answer that repeats it', async () => {
    await answering({
      status: 401,
      error: { message: `Access denied: the key ${apiKey} is not valid.`, code: '401' },
    });
    const { events, error } = await failureOf(ask());
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(error).toMatchObject({
      status: 401,
      body: expect.stringContaining('Access denied: the key *** is not valid.') as unknown,
    });
    expect(everythingIn(error)).not.toContain(apiKey);
  });

  it('is replaced in an error inside the stream that repeats it', async () => {
    await answering({
      content: ['Well', { chunk: { error: { message: `The key ${apiKey} expired.`, code: apiKey } } }],
    });
    const { events, error } = await failureOf(ask());
    expect(events).toEqual([text('Well')]);
    expect(error).toBeInstanceOf(ProviderStreamError);
    expect(error).toMatchObject({ code: '***', providerMessage: 'The key *** expired.' });
    expect(everythingIn(error)).not.toContain(apiKey);
  });
});

/** Every property of an error as text, those that are not enumerable included. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) throw new Error('This is no error.');
  return Object.getOwnPropertyNames(error)
    .map((name) => `${name}: ${String(Reflect.get(error, name))}`)
    .join('\n');
}
