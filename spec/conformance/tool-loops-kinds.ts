import { builtInProviders, type ModelProvider } from '../../src/index.js';

/** A call as the model meant it. */
export interface MeantCall {
  /** `undefined` where the provider gives none, or one that cannot be kept. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>> | string;
  /** What of it goes back beside the call itself. */
  readonly extras?: object;
  /** What becomes of it, where that is not that its tool gives an output. */
  readonly failsWith?: 'invalid_arguments' | 'incomplete_arguments' | 'unknown_tool';
}

/** One way in which a provider writes calls. */
export interface Kind {
  readonly provider?: Partial<ModelProvider> & { readonly name: string };
  /** Who is asked in the turns after the first. */
  readonly then?: ModelProvider;
  /** What is sent in a turn, of which there are two: with `id()`, ids differ between them. */
  readonly says: (id: (base: string) => string) => readonly Sent[];
  readonly calls: (id: (base: string) => string) => readonly MeantCall[];
  /** The other fields of the message that goes back. */
  readonly back?: Readonly<Record<string, unknown>>;
  /** What is sent at first, and breaks off. */
  readonly broken?: readonly Sent[];
  readonly repeatsIds?: boolean;
  /** Whether `[DONE]` is sent. Default `true`. */
  readonly done?: boolean;
}

/** A delta of the first choice, with or without a finish reason; or the whole of an event. */
export type Sent = { readonly delta: object; readonly reason?: string | null } | { readonly event: object };

const rome = '{"city":"Rome"}';
const oslo = '{"city":"Oslo"}';
const inRome = { city: 'Rome' };
const inOslo = { city: 'Oslo' };

/** Fragments of calls, one delta for all that are given. */
const calls = (...entries: readonly object[]): Sent => ({ delta: { tool_calls: entries } });
const f = (name: string | undefined, text?: unknown) => ({
  ...(name !== undefined && { name }),
  ...(text !== undefined && { arguments: text }),
});
const entry = (index: unknown, id: string | undefined, body: object, more: object = {}) => ({
  ...(index !== undefined && { index }),
  ...(id !== undefined && { id }),
  type: 'function',
  function: body,
  ...more,
});
const whole = (id: string | undefined, index = 0, more: object = {}) =>
  entry(index, id, f('weather', rome), more);
const end = (reason: string | null = 'tool_calls'): Sent => ({ delta: {}, reason });
const says = (delta: object): Sent => ({ delta });

const one = (id: (base: string) => string): readonly MeantCall[] => [
  { id: id('call_a'), name: 'weather', args: inRome },
];
const two = (id: (base: string) => string): readonly MeantCall[] => [
  ...one(id),
  { id: id('call_b'), name: 'weather', args: inOslo },
];
const nameless = (count: number) => (): readonly MeantCall[] =>
  [inRome, inOslo].slice(0, count).map((args) => ({ name: 'weather', args }));

const google = (thought_signature: string) => ({ extra_content: { google: { thought_signature } } });
const detail = (fields: object) => ({ type: 'reasoning.text', format: 'unknown', index: 0, ...fields });
const block = (thinking: string, signature: string | null) => ({ type: 'thinking', thinking, signature });

/** The kinds of wire that were seen, each in bytes of our own. */
export const kinds: Readonly<Record<string, Kind>> = {
  'two calls, their fragments in turn': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', ''))),
      calls(entry(1, id('call_b'), f('weather', ''))),
      calls(
        { index: 0, function: f(undefined, '{"city":') },
        { index: 1, function: f(undefined, '{"city":') },
      ),
      calls({ index: 1, function: f(undefined, '"Oslo"}') }, { index: 0, function: f(undefined, '"Rome"}') }),
      end(),
    ],
    calls: two,
  },
  'text before, between and after': {
    says: (id) => [
      says({ role: 'assistant', content: 'I look ' }),
      calls(whole(id('call_a'))),
      says({ content: 'it ' }),
      calls(entry(1, id('call_b'), f('weather', oslo))),
      says({ content: 'up.' }),
      end(),
    ],
    calls: two,
    back: { content: 'I look it up.' },
  },
  'role, null content and empty lists in each delta': {
    says: (id) => [
      says({ role: 'assistant', content: null, tool_calls: [], refusal: null, function_call: null }),
      { delta: { role: 'assistant', content: null, tool_calls: [whole(id('call_a'))] } },
      says({ role: 'assistant', content: null, tool_calls: null }),
      end(),
    ],
    calls: one,
  },
  'a name in pieces': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('wea'))),
      calls({ index: 0, function: f('ther') }),
      calls({ index: 0, function: f(undefined, rome) }),
      end(),
    ],
    calls: one,
  },
  'a name with each fragment': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', '{"city":'))),
      calls(entry(0, id('call_a'), f('weather', '"Rome"}'))),
      end(),
    ],
    calls: one,
  },
  'no ids': {
    says: () => [
      calls(entry(0, undefined, f('weather', rome))),
      calls(entry(1, undefined, f('weather', oslo))),
      end(),
    ],
    calls: nameless(2),
  },
  'empty ids, one index, both in one delta': {
    says: () => [calls(entry(0, '', f('weather', rome)), entry(0, '', f('weather', oslo))), end()],
    calls: nameless(2),
  },
  'one id for two calls': {
    says: (id) => [calls(whole(id('call_a')), entry(1, id('call_a'), f('clock', '{}'))), end()],
    calls: (id) => [...one(id), { name: 'clock', args: {} }],
  },
  'another id in each continuation': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', ''))),
      calls(entry(0, id('call_x'), f(undefined, '{"city":'))),
      calls(entry(0, id('call_y'), f(undefined, '"Rome"}'))),
      end(),
    ],
    calls: one,
  },
  'another id and the name again in each chunk': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', '{"ci'))),
      calls(entry(0, id('call_x'), f('weather', 'ty":"R'))),
      calls(entry(0, id('call_y'), f('weather', 'ome"}'))),
      end(),
    ],
    calls: one,
  },
  'the id "null" in continuations': {
    provider: builtInProviders.mistral,
    says: (id) => [
      calls(entry(0, id('D681PevK'), f('weather', '{"city":'))),
      calls(entry(0, 'null', f(undefined, '"Rome"}'))),
      end(),
    ],
    calls: (id) => [{ id: id('D681PevK'), name: 'weather', args: inRome }],
  },
  'ids of another form than Mistral takes': {
    provider: builtInProviders.mistral,
    says: (id) => [calls(whole(id('call_a')), entry(1, id('call_b'), f('weather', oslo))), end()],
    calls: nameless(2),
  },
  'no ids, and Mistral': {
    provider: builtInProviders.mistral,
    says: () => [calls(whole('')), end()],
    calls: nameless(1),
  },
  'ids that begin anew with each turn, and index 0 for all': {
    says: () => [
      calls(entry(0, '0', f('weather', ''))),
      calls(entry(0, '0', f(undefined, rome))),
      calls(entry(0, '1', f('weather', ''))),
      calls(entry(0, '1', f(undefined, oslo))),
      end(),
    ],
    calls: () => [
      { id: '0', name: 'weather', args: inRome },
      { id: '1', name: 'weather', args: inOslo },
    ],
    repeatsIds: true,
  },
  'arguments as an object': {
    says: (id) => [calls(entry(0, id('call_a'), f('weather', inRome))), end()],
    calls: one,
  },
  'arguments longer each time': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', '{"ci'))),
      calls(entry(0, id('call_a'), f('weather', '{"city":"Ro'))),
      calls(entry(0, id('call_a'), f('weather', rome))),
      end(),
    ],
    calls: one,
  },
  'arguments in pieces, then all again': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', '{"city":'))),
      calls({ index: 0, function: f(undefined, '"Rome"}') }),
      calls(whole(id('call_a'))),
      end(),
    ],
    calls: one,
  },
  'arguments twice': {
    says: (id) => [calls(whole(id('call_a'))), calls(whole(id('call_a'))), end()],
    calls: one,
  },
  'arguments after an empty object': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', '{}'))),
      calls({ index: 0, function: f(undefined, '{"city":') }),
      calls({ index: 0, function: f(undefined, '"Rome"}') }),
      end(),
    ],
    calls: one,
  },
  'no arguments': {
    says: (id) => [calls(entry(0, id('call_a'), f('clock', ''))), end()],
    calls: (id) => [{ id: id('call_a'), name: 'clock', args: {} }],
  },
  'no index': {
    says: (id) => [
      calls(entry(undefined, id('call_a'), f('weather', '{"city":'))),
      calls({ function: f(undefined, '"Rome"}') }),
      calls(entry(undefined, id('call_b'), f('weather', oslo))),
      end(),
    ],
    calls: two,
  },
  'an index as text, the later call first': {
    says: (id) => [
      calls(entry('8', id('call_b'), f('weather', oslo))),
      calls(entry('7', id('call_a'), f('weather', '{"city":'))),
      calls({ index: '7', function: f(undefined, '"Rome"}') }),
      end(),
    ],
    calls: two,
  },
  'several calls in a chunk': {
    says: (id) => [calls(whole(id('call_a')), entry(1, id('call_b'), f('weather', oslo))), end()],
    calls: two,
  },
  'a fragment after the finish reason': {
    says: (id) => [
      calls(entry(0, id('call_a'), f('weather', '{"city":'))),
      end(),
      calls({ index: 0, function: f(undefined, '"Rome"}') }),
    ],
    calls: one,
  },
  'two finish reasons, then the usage': {
    says: (id) => [
      calls(whole(id('call_a'))),
      end(),
      end('stop'),
      { event: { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } } },
    ],
    calls: one,
  },
  'the finish reason "stop"': {
    says: (id) => [calls(whole(id('call_a'))), end('stop')],
    calls: one,
  },
  'a finish reason beside the calls': {
    says: (id) => [{ delta: { tool_calls: [whole(id('call_a'))] }, reason: 'tool_calls' }],
    calls: one,
  },
  'a finish reason and no [DONE]': {
    says: (id) => [calls(whole(id('call_a'))), end()],
    calls: one,
    done: false,
  },
  '[DONE] and no finish reason': {
    says: (id) => [calls(whole(id('call_a')))],
    calls: one,
  },
  'a whole call, then one that the length has cut': {
    says: (id) => [
      calls(whole(id('call_a'))),
      calls(entry(1, id('call_b'), f('weather', '{"city":"Os'))),
      end('length'),
    ],
    calls: (id) => [
      ...one(id),
      { id: id('call_b'), name: 'weather', args: '{"city":"Os', failsWith: 'incomplete_arguments' },
    ],
  },
  'one call, which the length has cut': {
    says: (id) => [calls(entry(0, id('call_a'), f('weather', '{"city":"Ro'))), end('length')],
    calls: (id) => [
      { id: id('call_a'), name: 'weather', args: '{"city":"Ro', failsWith: 'incomplete_arguments' },
    ],
  },
  'a call without an id that the length has cut, after thinking': {
    provider: builtInProviders.litellm,
    says: () => [
      says({ reasoning_content: 'Look.', thinking_blocks: [block('Look.', 'c2ln')] }),
      calls(entry(0, undefined, f('weather', '{"city":"Ro'))),
      end('length'),
    ],
    calls: () => [{ name: 'weather', args: '{"city":"Ro', failsWith: 'incomplete_arguments' }],
    back: { thinking_blocks: [block('Look.', 'c2ln')] },
  },
  'an end within its call': {
    says: (id) => [calls(whole(id('call_a'))), calls(entry(1, id('call_b'), f('weather', '{"city":"Os')))],
    calls: (id) => [
      ...one(id),
      { id: id('call_b'), name: 'weather', args: '{"city":"Os', failsWith: 'incomplete_arguments' },
    ],
    done: false,
  },
  'arguments that are not JSON': {
    says: (id) => [calls(entry(0, id('call_a'), f('weather', '{city: Rome}'))), end()],
    calls: (id) => [
      { id: id('call_a'), name: 'weather', args: '{city: Rome}', failsWith: 'invalid_arguments' },
    ],
  },
  'arguments that are JSON, and no object': {
    says: (id) => [calls(entry(0, id('call_a'), f('weather', '"Rome"'))), end()],
    calls: (id) => [{ id: id('call_a'), name: 'weather', args: '"Rome"', failsWith: 'invalid_arguments' }],
  },
  'a tool that there is not': {
    says: (id) => [calls(whole(id('call_a')), entry(1, id('call_b'), f('__proto__', '{}'))), end()],
    calls: (id) => [
      ...one(id),
      { id: id('call_b'), name: '__proto__', args: '{}', failsWith: 'unknown_tool' },
    ],
  },
  'a refusal beside the calls': {
    says: (id) => [says({ refusal: 'Not that.' }), calls(whole(id('call_a'))), end()],
    calls: one,
    back: { refusal: 'Not that.' },
  },
  'a custom tool': {
    says: (id) => [
      calls({ index: 0, id: id('call_a'), type: 'custom', custom: { name: 'patch', input: '*** ' } }),
      calls({ index: 0, type: 'custom', custom: { input: 'Begin' } }),
      end(),
    ],
    calls: (id) => [{ id: id('call_a'), name: 'patch', args: '*** Begin' }],
  },
  'an answer that broke within its call': {
    broken: [says({ content: 'I ' }), calls(entry(0, 'call_broken', f('weather', '{"ci')))],
    says: (id) => [says({ content: 'Let me see.' }), calls(whole(id('call_a'))), end()],
    calls: one,
    back: { content: 'Let me see.' },
  },
  'Gemini: a signature on each call': {
    provider: builtInProviders.gemini,
    says: (id) => [
      calls(whole(id('call_a'), 0, google('c2ln'))),
      calls(entry(1, id('call_b'), f('weather', oslo), google('bmln'))),
      end(),
    ],
    calls: (id) => {
      const [a, b] = two(id);
      return [
        { ...a!, extras: google('c2ln') },
        { ...b!, extras: google('bmln') },
      ];
    },
  },
  'Gemini: a signature on the first of two calls, and no index': {
    provider: builtInProviders.gemini,
    says: (id) => [
      calls(entry(undefined, id('call_a'), f('weather', rome), google('c2ln'))),
      calls(entry(undefined, id('call_b'), f('weather', oslo))),
      end('stop'),
    ],
    calls: (id) => {
      const [a, b] = two(id);
      return [{ ...a!, extras: google('c2ln') }, b!];
    },
  },
  'Gemini: a signature of the text too': {
    provider: builtInProviders.gemini,
    says: (id) => [
      says({ content: 'Let me see.', ...google('dGV4dA==') }),
      calls(whole(id('call_a'), 0, google('c2ln'))),
      end(),
    ],
    calls: (id) => [{ ...one(id)[0]!, extras: google('c2ln') }],
    back: { content: 'Let me see.', ...google('dGV4dA==') },
  },
  'LiteLLM: blocks of thinking in pieces': {
    provider: builtInProviders.litellm,
    says: (id) => [
      says({ reasoning_content: 'Look ', thinking_blocks: [block('Look ', null)] }),
      says({ reasoning_content: 'up.', thinking_blocks: [block('up.', null)] }),
      says({ reasoning_content: '', thinking_blocks: [block('', 'c2ln')] }),
      says({ thinking_blocks: [{ type: 'redacted_thinking', data: 'ZW5j' }] }),
      calls(whole(id('call_a'))),
      end(),
    ],
    calls: one,
    back: { thinking_blocks: [block('Look up.', 'c2ln'), { type: 'redacted_thinking', data: 'ZW5j' }] },
  },
  'LiteLLM: a signature in fields of its own on the call': {
    provider: builtInProviders.litellm,
    says: (id) => [
      calls(whole(id('call_a'), 0, { provider_specific_fields: { thought_signature: 'c2ln' } })),
      end(),
    ],
    calls: (id) => [{ ...one(id)[0]!, extras: { provider_specific_fields: { thought_signature: 'c2ln' } } }],
  },
  'Copilot: what it closes its thinking with': {
    provider: { name: 'copilot', sendReasoning: 'reasoning_text' },
    says: (id) => [
      says({ reasoning_text: 'Look ' }),
      says({ reasoning_text: 'up.' }),
      says({ reasoning_opaque: 'b3BhcXVl' }),
      calls(whole(id('call_a'))),
      end(),
    ],
    calls: one,
    back: { reasoning_text: 'Look up.', reasoning_opaque: 'b3BhcXVl' },
  },
  'OpenRouter: details in pieces, and an entry tied to the call': {
    provider: builtInProviders.openrouter,
    says: (id) => [
      says({ reasoning: 'Look ', reasoning_details: [detail({ text: 'Look ' })] }),
      says({ reasoning: 'up.', reasoning_details: [detail({ text: 'up.' })] }),
      says({ reasoning_details: [detail({ signature: 'c2ln' })] }),
      {
        delta: {
          tool_calls: [whole(id('call_a'))],
          reasoning_details: [{ type: 'reasoning.encrypted', data: 'ZW5j', id: 'call_a', index: 0 }],
        },
      },
      end(),
    ],
    calls: one,
    back: {
      reasoning_details: [
        detail({ text: 'Look up.', signature: 'c2ln' }),
        { type: 'reasoning.encrypted', data: 'ZW5j', id: 'call_a', index: 0 },
      ],
    },
  },
  'DeepSeek: the words of its reasoning': {
    provider: builtInProviders.deepseek,
    says: (id) => [
      says({ reasoning_content: 'Look ' }),
      says({ reasoning_content: 'up.', content: null }),
      calls(whole(id('call_a'))),
      end(),
    ],
    calls: one,
    back: { reasoning_content: 'Look up.' },
  },
  'DeepSeek: no reasoning': {
    provider: builtInProviders.deepseek,
    says: (id) => [calls(whole(id('call_a'))), end()],
    calls: one,
    back: { reasoning_content: '' },
  },
  'a provider that wants an empty text beside calls': {
    provider: { name: 'cloudflare', toolCallContent: 'empty' },
    says: (id) => [calls(whole(id('call_a'))), end()],
    calls: one,
    back: { content: '' },
  },
  'text and reasoning that come again each time': {
    provider: { name: 'minimax', deltas: 'cumulative', sendReasoning: 'reasoning_content' },
    says: (id) => [says({ content: 'I ' }), says({ content: 'I look.' }), calls(whole(id('call_a'))), end()],
    calls: one,
    back: { content: 'I look.', reasoning_content: '' },
  },
  'Gemini, then OpenAI': {
    provider: builtInProviders.gemini,
    then: builtInProviders.openai,
    says: (id) => [
      says({ content: 'Let me see.', ...google('dGV4dA==') }),
      calls(whole(id('call_a'), 0, google('c2ln'))),
      end(),
    ],
    calls: one,
    back: { content: 'Let me see.' },
  },
  'OpenRouter, then Mistral': {
    provider: builtInProviders.openrouter,
    then: builtInProviders.mistral,
    says: (id) => [
      says({ reasoning: 'Look.', reasoning_details: [detail({ text: 'Look.', signature: 'c2ln' })] }),
      calls(whole(id('call_a'))),
      end(),
    ],
    calls: nameless(1),
  },
  'LiteLLM, then DeepSeek': {
    provider: builtInProviders.litellm,
    then: builtInProviders.deepseek,
    says: (id) => [
      says({ reasoning_content: 'Look.', thinking_blocks: [block('Look.', 'c2ln')] }),
      calls(whole(id('call_a'))),
      end(),
    ],
    calls: one,
    back: { reasoning_content: 'Look.' },
  },
};

/** Turns that end the run, although something about them speaks of calls. */
export const without: Readonly<Record<string, { readonly sent: readonly Sent[]; readonly text: string }>> = {
  'the finish reason "tool_calls" and no calls': { sent: [says({ content: 'Dry.' }), end()], text: 'Dry.' },
  'an empty list of calls beside each text': {
    sent: [says({ content: 'Dr', tool_calls: [] }), says({ content: 'y.', tool_calls: [] }), end('stop')],
    text: 'Dry.',
  },
  'a call that never gets a name': {
    sent: [says({ content: 'Dry.' }), calls(entry(0, 'call_a', f(undefined, rome))), end()],
    text: 'Dry.',
  },
  'nothing at all': { sent: [end()], text: '' },
};

/** An event of a stream as it is sent. */
export const wireOf = (sent: readonly Sent[]): readonly string[] =>
  sent.map((one) => {
    const body =
      'event' in one
        ? one.event
        : { choices: [{ index: 0, delta: one.delta, finish_reason: one.reason ?? null }] };
    return `data: ${JSON.stringify({ id: 'r', object: 'chat.completion.chunk', created: 1, model: 'm', ...body })}\n\n`;
  });

export const done = 'data: [DONE]\n\n';
