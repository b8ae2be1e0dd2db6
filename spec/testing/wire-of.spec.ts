import fc from 'fast-check';
import { from } from 'rxjs';
import { type ResponseEvent, streamChatCompletions } from '../../src/index.js';
import {
  chunksOf,
  completedEvent,
  type CompletedOptions,
  finishChunk,
  reasoningEvent,
  refusalEvent,
  restartingEvent,
  roleChunk,
  scriptedTransport,
  textEvent,
  toolCallChunks,
  type ToolCall,
  toolCallEvents,
  turnOf,
  type TurnPart,
  usageChunk,
  wireOf,
} from '../../src/testing/index.js';
import { cutAt } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { anyText, cutOffsets } from '../properties/streams.js';
import { provider } from '../support/events.js';

/** What a turn over these reads emits. */
const decoded = (reads: readonly (string | Uint8Array)[]) =>
  record(
    streamChatCompletions('Hi', {
      model: 'm',
      provider,
      transport: scriptedTransport({ body: from(reads) }),
    }),
  );

const emitted = (turn: readonly ResponseEvent[]) => ({ events: turn, error: undefined, ended: 1 });

const choice = fc.nat({ max: 3 });
const details = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('reasoning.text'), text: anyText }),
    fc.record({ type: fc.constant('reasoning.encrypted'), data: fc.string() }),
  ),
  { maxLength: 2 },
);

/** Pieces of JSON: of others, a reader may take the last for all of it again. */
const jsonInPieces = fc.tuple(fc.dictionary(anyText, anyText), fc.nat()).map(([value, place]) => {
  const json = JSON.stringify(value);
  const at = place % json.length;
  return [json.slice(0, at), json.slice(at)];
});
/** What a provider says of a call or of reasoning, in the places where it is read. */
const signature = fc.string({ minLength: 1 });
const callExtras = fc.oneof(
  fc.record({ extra_content: fc.record({ google: fc.record({ thought_signature: signature }) }) }),
  // JSON has no -0: what goes over the wire comes back as 0.
  fc.record({
    provider_specific_fields: fc
      .dictionary(signature, fc.jsonValue(), { minKeys: 1 })
      .map((fields) => JSON.parse(JSON.stringify(fields)) as typeof fields),
  }),
);
const reasoningExtras = fc.option(
  fc.oneof(
    fc.record({ reasoning_opaque: signature }),
    fc.record({
      thinking_blocks: fc.array(fc.record({ type: fc.constant('thinking'), thinking: anyText, signature }), {
        minLength: 1,
      }),
    }),
  ),
  { nil: undefined },
);

/** All calls of a choice, as `toolCallEvents` takes them, with ids of the provider's. */
const calls = fc
  .array(
    fc.record(
      {
        name: fc.stringMatching(/^[a-z]{1,8}$/),
        arguments: fc.oneof(anyText, jsonInPieces, fc.dictionary(anyText, fc.nat())),
        input: fc.oneof(anyText, fc.array(anyText, { maxLength: 3 })),
        extras: callExtras,
      },
      { requiredKeys: ['name'] },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((list): readonly ToolCall[] =>
    list.map((call) => (call.extras === undefined ? call : { ...call, provider: provider.name })),
  );

const said: fc.Arbitrary<TurnPart> = fc.oneof(
  anyText,
  fc.tuple(anyText, choice).map(([text, at]) => textEvent(text, { choice: at })),
  fc.tuple(anyText, choice).map(([text, at]) => refusalEvent(text, { choice: at })),
  fc.tuple(anyText, details, reasoningExtras, choice).map(([text, list, extras, at]) =>
    reasoningEvent(text, {
      details: list,
      choice: at,
      ...(extras && { extras }),
      ...((list.length > 0 || extras) && { provider: provider.name }),
    }),
  ),
);

const finishReason = fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', null);

const ending: fc.Arbitrary<CompletedOptions> = fc.record(
  {
    responseId: fc.string(),
    model: fc.string(),
    finishReason,
    usage: fc.option(
      fc.record(
        { inputTokens: fc.nat(), cachedInputTokens: fc.nat(), outputTokens: fc.nat(), totalTokens: fc.nat() },
        { requiredKeys: [] },
      ),
    ),
    choices: fc.uniqueArray(fc.record({ choice: fc.integer({ min: 1, max: 4 }), finishReason }), {
      selector: (other) => other.choice,
      maxLength: 3,
    }),
  },
  { requiredKeys: [] },
);

/** A turn of any content, its calls anywhere between what is said. */
const anyTurn = fc
  .tuple(
    fc.array(said, { maxLength: 6 }),
    fc.uniqueArray(fc.tuple(choice, calls, fc.nat({ max: 6 })), { selector: ([at]) => at, maxLength: 3 }),
    ending,
  )
  .map(([parts, groups, end]) => {
    const all = [...parts];
    for (const [at, list, place] of groups) all.splice(place, 0, toolCallEvents(list, { choice: at }));
    // A choice that was cut has no whole call that its arguments do not prove.
    const wholeEnd = (at: number, reason: string | null = null) =>
      groups.some(([other]) => other === at) ? 'tool_calls' : reason;
    return turnOf(...all, {
      ...end,
      ...(end.finishReason !== undefined && { finishReason: wholeEnd(0, end.finishReason) }),
      choices: (end.choices ?? []).map((other) => ({
        ...other,
        finishReason: wholeEnd(other.choice, other.finishReason),
      })),
    });
  });

describe('wireOf()', () => {
  it('writes what is decoded to the same turn, however it is cut', () => {
    fc.assert(
      fc.property(anyTurn, cutOffsets, (turn, offsets) => {
        const bytes = new TextEncoder().encode(wireOf(turn));
        expect(decoded(cutAt(bytes, offsets))).toEqual(emitted(turn));
      }),
      { numRuns: 200 },
    );
  });

  it('writes the chunks of chunksOf() one after the other', () => {
    const turn = turnOf('Hel', 'lo', { usage: { inputTokens: 1 } });
    expect(wireOf(turn)).toBe(chunksOf(turn).join(''));
  });

  it('writes a turn that was decoded from a provider’s order of choices', () => {
    const [first, second, whole] = toolCallEvents({ name: 'weather', arguments: ['{"city":', '"Bern"}'] });
    const turn: readonly ResponseEvent[] = [
      first!,
      textEvent('late', { choice: 1 }),
      second!,
      whole!,
      completedEvent({ finishReason: 'tool_calls', choices: [{ choice: 1, finishReason: 'stop' }] }),
    ];
    expect(decoded([wireOf(turn)])).toEqual(emitted(turn));
  });

  it('writes calls that did not begin in their order', () => {
    const named = (callId: string, args: string, index: number): readonly ResponseEvent[] =>
      toolCallEvents({ callId, name: 'f', arguments: args }).map((event) =>
        event.type === 'function_call_arguments_delta' ? { ...event, index } : event,
      );
    const [startsLast, last] = named('b', '{"b":1}', 0);
    const [, empty] = toolCallEvents([{ name: 'x' }, { callId: 'c', name: 'g', arguments: '' }]).slice(1);
    const [startsFirst, first] = named('a', '{"a":1}', 1);
    const turn = [
      startsLast!,
      startsFirst!,
      first!,
      last!,
      empty!,
      completedEvent({ finishReason: 'tool_calls' }),
    ];
    expect(decoded([wireOf(turn)])).toEqual(emitted(turn));
  });

  it('leaves a stream without completed open: it is decoded to what came, without a reason', () => {
    const [hel] = turnOf('Hel');
    expect(decoded([wireOf([hel!])])).toEqual(
      emitted([textEvent('Hel'), completedEvent({ finishReason: null })]),
    );
  });

  it('begins a call that was cut before it was whole', () => {
    const [delta] = toolCallEvents({ callId: 'c', name: 'weather', arguments: ['{"ci', 'ty":1}'] });
    expect(decoded([wireOf([delta!])])).toEqual(
      emitted([delta!, completedEvent({ finishReason: null, incompleteCalls: 1 })]),
    );
  });

  it('writes a turn in which a call was cut', () => {
    const [whole, cut, item] = toolCallEvents([
      { callId: 'a', name: 'f', arguments: '{"a":1}' },
      { callId: 'b', name: 'g', arguments: '{"b' },
    ]);
    const end = { incompleteCalls: 1 };
    for (const finishReason of ['length', null]) {
      const turn = [whole!, cut!, item!, completedEvent({ ...end, finishReason })];
      expect(decoded([wireOf(turn)])).toEqual(emitted(turn));
    }
  });

  it('writes the arguments of a whole call that no delta told of', () => {
    const [, whole] = toolCallEvents({ name: 'weather', arguments: '{"city":1}' });
    const turn = [whole!, completedEvent({ finishReason: 'tool_calls' })];
    expect(decoded([wireOf(turn)])).toEqual(
      emitted(turnOf(toolCallEvents({ name: 'weather', arguments: '{"city":1}' }))),
    );
  });

  it('leaves out what no provider says', () => {
    const turn = turnOf('Hi');
    const chunk: ResponseEvent = { type: 'chunk', chunk: { id: 'x' } };
    expect(wireOf([chunk, ...turn])).toBe(wireOf(turn));
  });

  it.each<[string, ResponseEvent]>([
    [
      'a user’s message',
      {
        type: 'output_item_done',
        item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'private' }] },
      },
    ],
    [
      'a call’s output',
      {
        type: 'output_item_done',
        item: { type: 'function_call_output', call_id: 'c', output: 'private' },
      },
    ],
    [
      'an image',
      {
        type: 'output_item_done',
        item: {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'input_image', image_url: 'private' }],
        },
      },
    ],
  ])('throws a TypeError for %s, without quoting it', (_, event) => {
    expect(() => wireOf([event])).toThrow(TypeError);
    expect(() => wireOf([event])).not.toThrow(/private/);
  });
});

describe('chunksOf()', () => {
  it('leaves out what came before restarting, back to the turn before', () => {
    const [once, again] = [turnOf('Once', ' upon'), turnOf('Again')];
    const begun = [textEvent('never'), restartingEvent()];
    expect(chunksOf([...begun, ...begun, ...once])).toEqual(chunksOf(once));
    expect(chunksOf([restartingEvent(), ...once])).toEqual(chunksOf(once));
    expect(chunksOf([...once, ...begun, ...again])).toEqual(chunksOf([...once, ...again]));
    expect(chunksOf([...once, restartingEvent()])).toEqual(chunksOf(once));
    expect(chunksOf(begun)).toEqual([roleChunk()]);
  });

  it('gives a chunk for the role, each thing that is said, the reason, the usage and the end', () => {
    const answer = { id: 'r', model: 'gpt' };
    expect(
      chunksOf(
        turnOf('Hi', toolCallEvents({ name: 'now', arguments: ['{', '}'] }), {
          responseId: 'r',
          model: 'gpt',
          usage: { inputTokens: 2 },
        }),
      ),
    ).toEqual([
      roleChunk(answer),
      'data: {"id":"r","object":"chat.completion.chunk","created":0,"model":"gpt","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n',
      ...toolCallChunks({ name: 'now', arguments: ['{', '}'] }, answer),
      finishChunk('tool_calls', answer),
      usageChunk({ inputTokens: 2 }, answer),
      'data: [DONE]\n\n',
    ]);
  });
});

describe('toolCallChunks()', () => {
  const entries = (chunks: readonly string[]) =>
    chunks.map((chunk) => {
      const { choices } = JSON.parse(chunk.slice('data: '.length)) as {
        choices: [{ index: number; delta: { tool_calls: unknown[] } }];
      };
      return [choices[0].index, ...choices[0].delta.tool_calls];
    });

  it('begins each call with its id and name, and goes on by its index', () => {
    const chunks = toolCallChunks(
      [{ callId: 'a', name: 'weather', arguments: ['{"city":', '"Bern"}'] }, { name: 'now' }],
      { choice: 2 },
    );
    expect(entries(chunks)).toEqual([
      [2, { index: 0, id: 'a', type: 'function', function: { name: 'weather', arguments: '' } }],
      [2, { index: 0, function: { arguments: '{"city":' } }],
      [2, { index: 0, function: { arguments: '"Bern"}' } }],
      [2, { index: 1, id: 'call_2_1', type: 'function', function: { name: 'now', arguments: '' } }],
      [2, { index: 1, function: { arguments: '{}' } }],
    ]);
  });

  it('writes a custom tool’s input', () => {
    expect(entries(toolCallChunks({ name: 'shell', input: 'ls' }))).toEqual([
      [0, { index: 0, id: 'call_0_0', type: 'custom', custom: { name: 'shell', input: '' } }],
      [0, { index: 0, type: 'custom', custom: { input: 'ls' } }],
    ]);
  });

  it('writes a call without arguments as its beginning alone', () => {
    expect(entries(toolCallChunks({ name: 'now', arguments: '' }))).toEqual([
      [0, { index: 0, id: 'call_0_0', type: 'function', function: { name: 'now', arguments: '' } }],
    ]);
  });
});
