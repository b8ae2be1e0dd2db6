import type OpenAI from 'openai';
import type { ChatParams } from '../../src/prompt/chat-params.js';
import { chatRequest } from '../../src/prompt/chat-request.js';

type Reference = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
/** Given by the prompt and the options, or replaced by `tools` and `tool_choice` in the reference. */
type Elsewhere =
  | 'model'
  | 'messages'
  | 'stream'
  | 'tools'
  | 'tool_choice'
  | 'parallel_tool_calls'
  | 'response_format'
  | 'functions'
  | 'function_call';
type ReferenceParams = Omit<Reference, Elsewhere>;

type Named<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] };
type Known = Exclude<Named<ChatParams>, 'model' | 'messages' | 'stream'>;

/** One of each: compiles only where we know the parameters of the reference, and no others. */
const everyParam = {
  audio: { voice: 'alloy', format: 'wav' },
  frequency_penalty: 0.5,
  logit_bias: { 50256: -100 },
  logprobs: true,
  max_completion_tokens: 100,
  max_tokens: 100,
  metadata: { team: 'blue' },
  modalities: ['text', 'audio'],
  moderation: { model: 'omni-moderation-latest' },
  n: 2,
  prediction: { type: 'content', content: 'const a = 1;' },
  presence_penalty: -0.5,
  prompt_cache_key: 'a',
  prompt_cache_options: { mode: 'explicit', ttl: '30m' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'low',
  safety_identifier: 'b',
  seed: 7,
  service_tier: 'flex',
  stop: ['\n'],
  store: false,
  stream_options: { include_obfuscation: false },
  temperature: 0.2,
  top_logprobs: 3,
  top_p: 0.9,
  user: 'c',
  verbosity: 'low',
  web_search_options: { search_context_size: 'low' },
} satisfies Pick<ChatParams, Known> satisfies Record<keyof ReferenceParams, unknown>;

describe('ChatParams', () => {
  it.each(Object.entries(everyParam))('sends %s as it is given', (name, value) => {
    const { model, messages, stream, ...params } = chatRequest('Hi', {
      model: 'm',
      params: { [name]: value },
    });
    expect(params).toStrictEqual({ [name]: value });
    expect({ model, stream }).toStrictEqual({ model: 'm', stream: true });
    expect(messages).toHaveLength(1);
  });

  it('takes what the openai package takes', () => {
    const reference: ReferenceParams = { temperature: 0.2, reasoning_effort: 'low' };
    const params: ChatParams = reference;
    expect(chatRequest('Hi', { model: 'm', params })).toMatchObject(params);
  });

  it('takes every parameter of the reference, and those of one provider', () => {
    const params: ChatParams = { ...everyParam, top_k: 40, reasoning: { effort: 'low' } };
    expect(chatRequest('Hi', { model: 'm', params })).toMatchObject(params);
  });
});
