import { chatOptionsFromEnv } from '../src/chat-options-from-env.js';
import { builtInProviders } from '../src/provider/built-in-providers.js';

const { openai } = builtInProviders;

describe('chatOptionsFromEnv', () => {
  it.each<[string, Record<string, string | undefined>, ReturnType<typeof chatOptionsFromEnv>]>([
    ['nothing', {}, { provider: openai }],
    [
      'blank variables',
      {
        OPENAI_API_KEY: '',
        OPENAI_BASE_URL: ' ',
        OPENAI_MODEL: '\t',
        OPENAI_REQUEST_MAX_RETRIES: '',
        OPENAI_STREAM_IDLE_TIMEOUT_MS: undefined,
      },
      { provider: openai },
    ],
    ['a key', { OPENAI_API_KEY: ' sk-1\n' }, { provider: { ...openai, apiKey: 'sk-1' } }],
    [
      'a server of one’s own, which needs no key',
      { OPENAI_BASE_URL: 'http://localhost:8080/v1' },
      { provider: { name: 'OPENAI_BASE_URL', baseUrl: 'http://localhost:8080/v1' } },
    ],
    [
      'a server of one’s own with a key',
      { OPENAI_BASE_URL: 'http://localhost:8080/v1', OPENAI_API_KEY: 'k' },
      { provider: { name: 'OPENAI_BASE_URL', baseUrl: 'http://localhost:8080/v1', apiKey: 'k' } },
    ],
    ['a model', { OPENAI_MODEL: 'gpt-4o-mini' }, { provider: openai, model: 'gpt-4o-mini' }],
    [
      'the limits',
      { OPENAI_REQUEST_MAX_RETRIES: '0', OPENAI_STREAM_IDLE_TIMEOUT_MS: '1' },
      { provider: openai, retry: { maxRetries: 0 }, idleTimeout: 1 },
    ],
  ])('reads %s', (_, env, expected) => {
    expect(chatOptionsFromEnv(env)).toStrictEqual(expected);
  });

  it.each(['-1', '1.5', '1e3', 'many', 'Infinity', '0x1'])('refuses %p as a number', (value) => {
    expect(() => chatOptionsFromEnv({ OPENAI_REQUEST_MAX_RETRIES: value })).toThrow(
      new TypeError(
        'The environment variable OPENAI_REQUEST_MAX_RETRIES must be a whole number of at least 0.',
      ),
    );
  });

  it('refuses an idle timeout of 0', () => {
    expect(() => chatOptionsFromEnv({ OPENAI_STREAM_IDLE_TIMEOUT_MS: '0' })).toThrow(
      new TypeError(
        'The environment variable OPENAI_STREAM_IDLE_TIMEOUT_MS must be a whole number of at least 1.',
      ),
    );
  });

  it('does not quote the value that it refuses', () => {
    expect(() => chatOptionsFromEnv({ OPENAI_REQUEST_MAX_RETRIES: 'sk-pasted-here' })).toThrow(
      /^(?!.*sk-pasted-here)/,
    );
  });

  it('reads own properties alone', () => {
    const env = Object.create({ OPENAI_MODEL: 'inherited' }) as Record<string, string>;
    expect(chatOptionsFromEnv(env)).toStrictEqual({ provider: openai });
  });
});
