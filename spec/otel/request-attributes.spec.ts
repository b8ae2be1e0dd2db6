import { builtInProviders, azureOpenAI } from '../../src/index.js';
import { identityAttributes, parameterAttributes } from '../../src/otel/request-attributes.js';

describe('identityAttributes', () => {
  it.each([
    ['openai', 'openai'],
    ['gemini', 'gcp.gemini'],
    ['mistral', 'mistral_ai'],
    ['moonshot', 'moonshot_ai'],
    ['xai', 'x_ai'],
    ['deepseek', 'deepseek'],
    ['groq', 'groq'],
    ['openrouter', 'openrouter'],
  ] as const)('name the provider %s %s', (name, expected) => {
    expect(identityAttributes(builtInProviders[name], 'm')['gen_ai.provider.name']).toBe(expected);
  });

  it('name Azure as the conventions do', () => {
    const { name } = azureOpenAI({ endpoint: 'https://a.openai.azure.com' });
    expect(identityAttributes({ name, baseUrl: '/' }, 'm')['gen_ai.provider.name']).toBe('azure.ai.openai');
  });

  it.each([
    ['https://api.test/v1', { 'server.address': 'api.test', 'server.port': 443 }],
    ['http://api.test/v1', { 'server.address': 'api.test', 'server.port': 80 }],
    ['http://localhost:4010', { 'server.address': 'localhost', 'server.port': 4010 }],
    ['/v1', {}],
  ])('say where %s is', (baseUrl, expected) => {
    expect(identityAttributes({ name: 'p', baseUrl }, undefined)).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'p',
      ...expected,
    });
  });
});

describe('parameterAttributes', () => {
  it('are the parameters that hold no words', () => {
    expect(
      parameterAttributes({
        temperature: 0,
        top_p: 0.9,
        top_k: 40,
        seed: 7,
        max_tokens: 100,
        frequency_penalty: 0.1,
        presence_penalty: 0.2,
        reasoning_effort: 'low',
        n: 3,
        response_format: { type: 'text' },
        stop: 'words',
        user: 'words',
        messages: ['words'],
      }),
    ).toEqual({
      'gen_ai.request.stream': true,
      'gen_ai.request.temperature': 0,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.top_k': 40,
      'gen_ai.request.seed': 7,
      'gen_ai.request.max_tokens': 100,
      'gen_ai.request.frequency_penalty': 0.1,
      'gen_ai.request.presence_penalty': 0.2,
      'gen_ai.request.reasoning.level': 'low',
      'gen_ai.request.choice.count': 3,
      'gen_ai.output.type': 'text',
    });
  });

  it('leave out what is of another type, and a single choice', () => {
    expect(
      parameterAttributes({ temperature: 'hot', n: 1, reasoning_effort: {}, response_format: 1 }),
    ).toEqual({
      'gen_ai.request.stream': true,
    });
  });
});
