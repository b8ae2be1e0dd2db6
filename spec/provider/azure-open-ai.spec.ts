import { lastValueFrom, toArray } from 'rxjs';
import {
  InvalidProviderError,
  MissingApiKeyError,
  RetryLimitError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { textDeltas } from '../../src/operators/text-deltas.js';
import { azureOpenAI, type AzureOpenAIOptions } from '../../src/provider/azure-open-ai.js';
import { endpointOf } from '../../src/provider/endpoint.js';
import { streamChatCompletions } from '../../src/stream-chat-completions.js';
import { failureOf } from '../support/marbles.js';

const resource = {
  endpoint: 'https://my-resource.openai.azure.com',
  deployment: 'gpt-4o',
  apiVersion: '2024-10-21',
};
const { AZURE_OPENAI_API_KEY: keyBefore } = process.env;

beforeEach(() => {
  delete process.env['AZURE_OPENAI_API_KEY'];
});

afterAll(() => {
  if (keyBefore !== undefined) process.env['AZURE_OPENAI_API_KEY'] = keyBefore;
});

describe('azureOpenAI', () => {
  const endpoint = (options: Partial<AzureOpenAIOptions> = {}) =>
    endpointOf(azureOpenAI({ ...resource, ...options }), 'k');

  it('sends to the deployment, with the version, and the key in api-key alone', () => {
    expect(endpoint()).toStrictEqual({
      url: 'https://my-resource.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
      headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json', 'api-key': 'k' },
    });
  });

  it('sends to the v1 API where no deployment is named, with a version only where there is one', () => {
    const v1 = (options: Partial<AzureOpenAIOptions> = {}) =>
      endpointOf(azureOpenAI({ endpoint: `${resource.endpoint}/`, ...options }), 'k').url;
    expect(v1()).toBe('https://my-resource.openai.azure.com/openai/v1/chat/completions');
    expect(v1({ apiVersion: 'preview' })).toBe(
      'https://my-resource.openai.azure.com/openai/v1/chat/completions?api-version=preview',
    );
  });

  it('refuses a deployment without a version', () => {
    expect(() => azureOpenAI({ ...resource, apiVersion: undefined })).toThrow(
      new TypeError('options.apiVersion is required with options.deployment, such as 2024-10-21.'),
    );
  });

  it.each([
    'https://my-resource.openai.azure.com/',
    'https://my-resource.openai.azure.com//',
    ' https://my-resource.openai.azure.com ',
  ])('takes the endpoint %j for the same', (given) => {
    expect(endpoint({ endpoint: given })).toStrictEqual(endpoint());
  });

  it.each([
    '',
    ' ',
    'https://',
    'https:///my-resource',
    'https:my-resource',
    'https://?',
    'https:\\\\evil.example',
  ])('is refused for the endpoint %j, which has no host', (given) => {
    expect(() => endpoint({ endpoint: given })).toThrow(InvalidProviderError);
    expect(() => endpointOf(azureOpenAI({ endpoint: given }), 'k')).toThrow(InvalidProviderError);
  });

  it('is refused for an empty endpoint on a page too, whose host is not meant', () => {
    Object.defineProperty(globalThis, 'location', {
      value: { href: 'https://app.example/' },
      configurable: true,
    });
    try {
      expect(() => endpoint({ endpoint: '' })).toThrow(InvalidProviderError);
      expect(endpoint({ endpoint: '/azure/' }).url).toMatch(/^\/azure\/openai\//);
    } finally {
      Reflect.deleteProperty(globalThis, 'location');
    }
  });

  it('writes the name of a deployment so that it stays one part of the path', () => {
    expect(endpoint({ deployment: '../a b?c#d' }).url).toBe(
      'https://my-resource.openai.azure.com/openai/deployments/..%2Fa%20b%3Fc%23d/chat/completions?api-version=2024-10-21',
    );
  });

  it('keeps the headers and limits that it is given', () => {
    const settings = {
      headers: { 'x-a': '1' },
      maxRetries: 1,
      idleTimeout: 2,
      sendReasoning: 'reasoning_content',
    } as const;
    expect(azureOpenAI({ ...resource, ...settings })).toMatchObject({ name: 'azure', ...settings });
  });

  it('fails before anything is sent where it has no key, and names the variable', () => {
    const failure = failureOf(
      streamChatCompletions('Hi', {
        model: 'gpt-4o',
        provider: azureOpenAI(resource),
        transport: () => {
          throw new Error('A request was sent.');
        },
      }),
    );
    expect(failure).toBeInstanceOf(MissingApiKeyError);
    expect(failure).toMatchObject({ envKey: 'AZURE_OPENAI_API_KEY' });
    expect((failure as Error).message).toContain('Azure portal');
  });
});

describe('azureOpenAI, over the network,', () => {
  let mock: MockProvider;

  async function answering(...answers: readonly MockAnswer[]): Promise<void> {
    mock = await startMockProvider({ pace: 0, answers });
  }

  afterEach(() => mock.close());

  const ask = (options: Partial<AzureOpenAIOptions> = {}) =>
    streamChatCompletions('Hi', {
      model: 'gpt-4o',
      provider: azureOpenAI({
        ...resource,
        endpoint: mock.baseUrl.replace(/\/v1$/, ''),
        apiKey: 'k',
        ...options,
      }),
      retry: { initialDelay: 0 },
    });

  const textOf = (options?: Partial<AzureOpenAIOptions>) =>
    lastValueFrom(ask(options).pipe(textDeltas(), toArray()));

  it('reads an answer that begins with prompt filter results', async () => {
    const filters = { hate: { filtered: false, severity: 'safe' } };
    const filtered = (content: string) => ({
      chunk: {
        choices: [{ index: 0, delta: { content }, finish_reason: null, content_filter_results: filters }],
      },
    });
    await answering({
      content: [
        {
          chunk: {
            id: '',
            model: '',
            choices: [],
            prompt_filter_results: [{ prompt_index: 0, content_filter_results: filters }],
          },
        },
        filtered('Hel'),
        filtered('lo'),
        {
          chunk: {
            choices: [
              { index: 0, finish_reason: null, content_filter_offsets: {}, content_filter_results: filters },
            ],
          },
        },
      ],
    });
    expect(await textOf()).toEqual(['Hel', 'lo']);
    const [request] = mock.requests;
    expect(request?.url).toBe('/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21');
    expect(request?.headers).toMatchObject({ 'api-key': 'k', 'content-type': 'application/json' });
    expect(request?.headers).not.toHaveProperty('authorization');
    expect(request?.body).toMatchObject({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });
  });

  it('takes the key from the environment', async () => {
    await answering({ content: 'Hi' });
    process.env['AZURE_OPENAI_API_KEY'] = 'from the environment';
    const { apiKey: _, ...settings } = azureOpenAI({
      ...resource,
      endpoint: mock.baseUrl.replace(/\/v1$/, ''),
    });
    await lastValueFrom(streamChatCompletions('Hi', { model: 'gpt-4o', provider: settings }));
    expect(mock.requests[0]?.headers['api-key']).toBe('from the environment');
  });

  it('asks a key function for each attempt', async () => {
    await answering({ status: 503 }, { content: 'Hi' });
    let asked = 0;
    expect(await textOf({ apiKey: () => [`key ${(asked += 1)}`] })).toEqual(['Hi']);
    expect(mock.requests.map(({ headers }) => headers['api-key'])).toEqual(['key 1', 'key 2']);
  });

  it('sends the token of Entra ID in Authorization, as its documentation says', async () => {
    await answering({ content: 'Hi' });
    await textOf({ apiKey: 'no value', headers: { Authorization: 'Bearer token' } });
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer token');
  });

  it('tells of a deployment that is not there, with its code', async () => {
    await answering({ status: 404, json: { error: { code: 'DeploymentNotFound', message: 'No k here.' } } });
    const failure: unknown = await lastValueFrom(ask()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnexpectedStatusError);
    expect(failure).toMatchObject({ status: 404, code: 'DeploymentNotFound' });
  });

  it('hides the key that an answer repeats', async () => {
    await answering({
      status: 429,
      json: { error: { code: '429', message: 'The key secret-key is used up.' } },
    });
    const failure: unknown = await lastValueFrom(ask({ apiKey: 'secret-key', maxRetries: 0 })).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(RetryLimitError);
    expect((failure as RetryLimitError).body).toContain('The key *** is used up.');
  });
});
