import { concatMap, from, last, map, type Observable, of, take, toArray } from 'rxjs';
import {
  accumulate,
  aggregate,
  builtInProviders,
  coalesce,
  decodeChatCompletions,
  decodeEventStream,
  encodeEventStream,
  fromServerSentEvents,
  functionCallOutput,
  type InputItem,
  type ModelProvider,
  outputItems,
  type ResponseEvent,
  type ResponseItem,
  splitThinking,
  streamChatCompletions,
  toChatCompletionChunks,
  toServerSentEvents,
  turnItems,
  userMessage,
} from '../../src/index.js';
import { deltaChunk, doneChunk, finishChunk, scriptedTransport } from '../../src/testing/index.js';
import { received } from '../support/marbles.js';

/** A provider that asks for a tool, and what it has to see again on the assistant's message. */
interface Case {
  readonly provider: Partial<ModelProvider> & { readonly name: string };
  readonly deltas: readonly Readonly<Record<string, unknown>>[];
  readonly back: Readonly<Record<string, unknown>>;
}

const args = '{"city":"Rome"}';
const f = { name: 'weather', arguments: args };
const call = (fields: object = {}) => ({
  tool_calls: [{ index: 0, id: 'D681PevKs', type: 'function', function: f, ...fields }],
});
const said = (fields: object = {}, ofCall: object = {}) => ({
  role: 'assistant',
  content: null,
  ...fields,
  tool_calls: [{ ...ofCall, id: 'D681PevKs', type: 'function', function: f }],
});
const google = (thought_signature: string) => ({ extra_content: { google: { thought_signature } } });
const thinking = (words: string, signature: string | null) => ({
  type: 'thinking',
  thinking: words,
  signature,
});
const detail = (fields: object) => ({
  type: 'reasoning.text',
  format: 'anthropic-claude-v1',
  index: 0,
  ...fields,
});

const cases: Readonly<Record<string, Case>> = {
  'Gemini: the signature of a call': {
    provider: builtInProviders.gemini,
    deltas: [call(google('c2ln'))],
    back: said({}, google('c2ln')),
  },
  'Gemini: signatures of parallel calls, where only the first has one': {
    provider: builtInProviders.gemini,
    deltas: [call(google('c2ln')), { tool_calls: [{ index: 1, id: 'b', function: f }] }],
    back: {
      ...said(),
      tool_calls: [
        { ...google('c2ln'), id: 'D681PevKs', type: 'function', function: f },
        { id: 'b', type: 'function', function: f },
      ],
    },
  },
  'Gemini: the signature of a text, without the flag of a thought': {
    provider: builtInProviders.gemini,
    deltas: [
      { content: 'Let me see.', extra_content: { google: { thought: true } } },
      { content: '', ...google('c2ln') },
      call(),
    ],
    back: said({ content: 'Let me see.', ...google('c2ln') }),
  },
  'LiteLLM: blocks of thinking in pieces, each with its signature': {
    provider: { name: 'litellm' },
    deltas: [
      { reasoning_content: 'Look ', thinking_blocks: [thinking('Look ', null)] },
      { reasoning_content: 'up.', thinking_blocks: [thinking('up.', null)] },
      { reasoning_content: '', thinking_blocks: [thinking('', 'c2ln')] },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'ZW5j' }] },
      { reasoning_content: 'Yes.', thinking_blocks: [thinking('Yes.', 'c2ln')] },
      call(),
    ],
    back: said({
      thinking_blocks: [
        thinking('Look up.', 'c2ln'),
        { type: 'redacted_thinking', data: 'ZW5j' },
        thinking('Yes.', 'c2ln'),
      ],
    }),
  },
  'LiteLLM: a field of its own on the call': {
    provider: { name: 'litellm', sendReasoning: 'reasoning_content' },
    deltas: [call({ provider_specific_fields: { thought_signature: 'c2ln' } })],
    back: said({ reasoning_content: '' }, { provider_specific_fields: { thought_signature: 'c2ln' } }),
  },
  'Copilot: what it closes its thinking with': {
    provider: { name: 'copilot' },
    deltas: [{ reasoning_opaque: 'b3BhcXVl' }, call()],
    back: said({ reasoning_opaque: 'b3BhcXVl' }),
  },
  'OpenRouter: the account of its reasoning': {
    provider: builtInProviders.openrouter,
    deltas: [
      { reasoning: 'Look ', reasoning_details: [detail({ text: 'Look ' })] },
      { reasoning: 'up.', reasoning_details: [detail({ text: 'up.' })] },
      { reasoning_details: [detail({ signature: 'c2ln' })] },
      {
        ...call(),
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'ZW5j', id: 'D681PevKs', index: 0 }],
      },
    ],
    back: said({
      reasoning_details: [
        detail({ text: 'Look up.', signature: 'c2ln' }),
        { type: 'reasoning.encrypted', data: 'ZW5j', id: 'D681PevKs', index: 0 },
      ],
    }),
  },
  'any other with an account of its reasoning': {
    provider: { name: 'local' },
    deltas: [{ reasoning_details: [detail({ text: 'Hm.', signature: 'c2ln' })] }, call()],
    back: said({ reasoning_details: [detail({ text: 'Hm.', signature: 'c2ln' })] }),
  },
  'DeepSeek: the words of its reasoning': {
    provider: builtInProviders.deepseek,
    deltas: [{ reasoning_content: 'Look ' }, { reasoning_content: 'up.' }, call()],
    back: said({ reasoning_content: 'Look up.' }),
  },
  'DeepSeek: an empty text where it had none': {
    provider: builtInProviders.deepseek,
    deltas: [call()],
    back: said({ reasoning_content: '' }),
  },
  'Moonshot: the words of its reasoning': {
    provider: builtInProviders.moonshot,
    deltas: [{ reasoning_content: 'Look up.' }, call()],
    back: said({ reasoning_content: 'Look up.' }),
  },
  'Mistral: its own id of the call': {
    provider: builtInProviders.mistral,
    deltas: [call()],
    back: said(),
  },
  'OpenAI: nothing but the call': {
    provider: builtInProviders.openai,
    deltas: [{ annotations: [{}], audio: { id: 'audio_1' }, obfuscation: 'x' }, call()],
    back: said(),
  },
};

/** The ways on which the items of a turn come to the next request. */
const ways: Readonly<
  Record<string, (turn: Observable<ResponseEvent>, name: string) => Observable<readonly ResponseItem[]>>
> = {
  'aggregate()': (turn) =>
    turn.pipe(
      aggregate(),
      concatMap((event) => (event.type === 'output_item_done' ? [event.item] : [])),
      toArray(),
    ),
  'outputItems()': (turn) => turn.pipe(outputItems(), toArray()),
  'accumulate() and turnItems()': (turn) => turn.pipe(accumulate(), last(), map(turnItems)),
  'coalesce()': (turn) => turn.pipe(coalesce(Infinity), outputItems(), toArray()),
  'splitThinking()': (turn) => turn.pipe(splitThinking(), outputItems(), toArray()),
  'JSON, as a conversation is stored': (turn) =>
    turn.pipe(
      outputItems(),
      map((item) => JSON.parse(JSON.stringify(item)) as ResponseItem),
      toArray(),
    ),
  'toServerSentEvents() and back': (turn) =>
    turn.pipe(
      toServerSentEvents(),
      encodeEventStream(),
      map((text) => new TextEncoder().encode(text)),
      decodeEventStream(),
      fromServerSentEvents(),
      outputItems(),
      toArray(),
    ),
  'toChatCompletionChunks() and back': (turn, name) =>
    turn.pipe(toChatCompletionChunks(), decodeChatCompletions({ provider: name }), outputItems(), toArray()),
};

const message = (body: string | undefined, place: number): unknown =>
  (JSON.parse(body ?? '{}') as { messages: readonly unknown[] }).messages[place];

/** What the provider sees of the assistant once its tool has run; `other` is asked in its place. */
function sentBack({ provider, deltas }: Case, way: string, other?: ModelProvider): unknown {
  const asked = { baseUrl: 'http://provider.test/v1', apiKey: 'k', ...provider };
  const transport = scriptedTransport(
    { body: from([...deltas.map((delta) => deltaChunk(delta)), finishChunk('tool_calls'), doneChunk()]) },
    { body: of(doneChunk()) },
  );
  const question: InputItem = userMessage('Rain in Rome?');
  const ask = (by: ModelProvider, input: readonly InputItem[]) =>
    streamChatCompletions({ input }, { model: 'm', provider: { ...by, apiKey: 'k' }, transport });
  received(
    ways[way]!(ask(asked, [question]), provider.name).pipe(
      take(1),
      concatMap((items) => {
        const outputs = items.flatMap((item) =>
          item.type === 'function_call' ? [functionCallOutput(item.call_id, 'done')] : [],
        );
        return ask(other ?? asked, [question, ...items, ...outputs]);
      }),
    ),
  );
  return message(transport.requests[1]?.body, 1);
}

describe.each(Object.keys(ways))('by way of %s goes back', (way) => {
  it.each(Object.entries(cases))('%s', (_, one) => {
    expect(sentBack(one, way)).toEqual(one.back);
  });
});

describe('to another provider goes', () => {
  const { openai, deepseek, mistral } = builtInProviders;

  it.each(Object.entries(cases).filter(([, one]) => one.provider.name !== 'openai'))(
    'nothing of what only the first understands: %s',
    (_, one) => {
      const { content, tool_calls } = one.back as { content: unknown; tool_calls: readonly object[] };
      const plain = tool_calls.map((raw) => {
        const { id, type, function: body } = raw as { id: string; type: string; function: object };
        return { id, type, function: body };
      });
      expect(sentBack(one, 'aggregate()', openai)).toEqual({ role: 'assistant', content, tool_calls: plain });
    },
  );

  it('the words of the reasoning, if it wants any', () => {
    const litellm = cases['LiteLLM: blocks of thinking in pieces, each with its signature']!;
    expect(sentBack(litellm, 'aggregate()', deepseek)).toEqual(said({ reasoning_content: 'Look up.Yes.' }));
  });

  it('the id of a call in its form', () => {
    const one: Case = { provider: openai, deltas: [call({ id: 'call_0fypS1hVX' })], back: {} };
    const { tool_calls: calls } = sentBack(one, 'aggregate()', mistral) as {
      tool_calls: readonly { id: string }[];
    };
    expect(calls[0]?.id).toMatch(/^[a-z0-9]{9}$/);
  });
});

describe('calls without an id', () => {
  const { mistral } = builtInProviders;
  const idless = { provider: mistral, deltas: [call({ id: '' })], back: {} };

  it('have another in each turn, in the form that Mistral wants', () => {
    const ids = Array.from({ length: 20 }, () => {
      const { tool_calls: calls } = sentBack(idless, 'aggregate()') as {
        tool_calls: readonly { id: string }[];
      };
      return calls[0]?.id;
    });
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]{9}$/);
    expect(new Set(ids).size).toBe(20);
  });
});
