import { builtInProviders } from '../../src/provider/built-in-providers.js';
import { endpointOf } from '../../src/provider/endpoint.js';
import type { ModelProvider } from '../../src/provider/model-provider.js';

const providers: readonly (readonly [string, ModelProvider])[] = Object.entries(builtInProviders);
const local = ['ollama', 'lmstudio'];

describe('builtInProviders', () => {
  it.each(providers)('has a usable %s', (name, provider) => {
    expect(provider.name).toBe(name);
    expect(endpointOf(provider, 'sk-1').url).toBe(`${provider.baseUrl}/chat/completions`);
  });

  it.each(providers.filter(([name]) => !local.includes(name)))(
    'asks for the key of %s, over TLS, and says where keys are made',
    (_, { baseUrl, envKey, envKeyInstructions }) => {
      expect(baseUrl).toMatch(/^https:\/\//);
      expect(envKey).toMatch(/^[A-Z]+_API_KEY$/);
      expect(envKeyInstructions).toMatch(/^Keys are made at https:\/\/\S+\.$/);
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
});
