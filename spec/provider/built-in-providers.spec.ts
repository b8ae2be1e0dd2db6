import { builtInProviders } from '../../src/provider/built-in-providers.js';
import { endpointOf } from '../../src/provider/endpoint.js';
import type { ModelProvider } from '../../src/provider/model-provider.js';

const providers: readonly (readonly [string, ModelProvider])[] = Object.entries(builtInProviders);
const local = ['ollama', 'lmstudio', 'vllm', 'llamacpp', 'litellm'];

describe('builtInProviders', () => {
  it.each(providers)('has a usable %s', (name, provider) => {
    expect(provider.name).toBe(name);
    expect(endpointOf(provider, 'sk-1').url).toBe(`${provider.baseUrl}/chat/completions`);
  });

  it.each(providers.filter(([name]) => !local.includes(name)))(
    'asks for the key of %s, over TLS, and says where keys are made',
    (_, { baseUrl, envKey, envKeyInstructions }) => {
      expect(baseUrl).toMatch(/^https:\/\//);
      expect(envKey).toMatch(/^[A-Z]+_(?:API_KEY|TOKEN)$/);
      expect(envKeyInstructions).toMatch(/^Create a key at https:\/\/\S+\.$/);
    },
  );

  it.each(providers.filter(([name]) => local.includes(name)))(
    'reaches %s on the own machine, without a key',
    (_, { baseUrl, envKey, apiKey }) => {
      expect(baseUrl).toMatch(/^http:\/\/localhost:\d+\/v1$/);
      expect([envKey, apiKey]).toEqual([undefined, undefined]);
    },
  );

  it('asks no two providers for the same key', () => {
    const keys = providers.flatMap(([, { envKey }]) => envKey ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(providers.length - local.length);
  });

  it('says what is not supported, where the documentation of the provider does', () => {
    const unsupported = providers.flatMap(([name, provider]) =>
      provider.unsupported === undefined ? [] : [[name, provider.unsupported]],
    );
    expect(Object.fromEntries(unsupported)).toEqual({
      mistral: ['developer', 'max_completion_tokens', 'stream_options'],
      deepseek: ['developer', 'max_completion_tokens'],
      ollama: ['max_completion_tokens'],
    });
  });
});
