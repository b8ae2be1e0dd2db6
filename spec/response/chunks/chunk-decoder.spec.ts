import type { EventSourceMessage } from 'eventsource-parser';
import { ChatCompletionsError, ProviderStreamError } from '../../../src/turn/errors.js';
import type { CompletedEvent, ReasoningItem, ResponseEvent } from '../../../src/turn/events.js';
import { parsedBy } from '../../support/parsed.js';
import { chunkDecoder, type ChunkDecoderOptions } from '../../../src/response/chunks/chunk-decoder.js';

type Chunk = { readonly data?: never; readonly [key: string]: unknown };
type Message = EventSourceMessage | Chunk | string;

/** A message as it is, or one whose data is the text, or the JSON of the value. */
const toMessage = (message: Message): EventSourceMessage => {
  if (typeof message === 'string') return { data: message };
  return typeof message.data === 'string' ? message : { data: JSON.stringify(message) };
};

/** What a whole answer gives; `error` is what a push threw. */
function decode(messages: readonly Message[], options: ChunkDecoderOptions = {}) {
  const events: ResponseEvent[] = [];
  const decoder = chunkDecoder((event) => events.push(event), options);
  try {
    for (const message of messages) decoder.push(toMessage(message));
    decoder.end();
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

const failureOf = (...messages: readonly Message[]): ProviderStreamError => {
  const { error } = decode(messages);
  expect(error).toBeInstanceOf(ProviderStreamError);
  return error as ProviderStreamError;
};

const delta = (content: unknown) => ({ choices: [{ index: 0, delta: { content } }] });

const text = (said: string): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] },
});

const thought = (said: string, reasoning_details?: readonly unknown[]): ResponseEvent => ({
  type: 'output_item_done',
  item: {
    type: 'reasoning',
    content: [{ type: 'reasoning_text', text: said }],
    ...(reasoning_details && { reasoning_details }),
  },
});

const refusal = (said: string): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: said }] },
});

/** Progress of the first call of its choice. */
const progress = (callId: string, written: string, name = 'f'): ResponseEvent => ({
  type: 'function_call_arguments_delta',
  callId,
  name,
  index: 0,
  delta: written,
});

const call = (call_id: string, name: string, written: string): ResponseEvent => ({
  type: 'output_item_done',
  item: { type: 'function_call', call_id, name, arguments: written },
});

/** A chunk of choice 0. */
const says = (said: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: said, finish_reason }],
});

/** The end of a stream without `[DONE]`. */
const completed = (details: Partial<CompletedEvent> = {}): CompletedEvent => ({
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
  endedBy: (details.finishReason ?? null) === null ? 'eof' : 'finish_reason',
  ...details,
});

describe('chunkDecoder()', () => {
  describe('keeps what has to go back beside reasoning', () => {
    const block = (thinking: string, signature: string | null) => ({
      thinking_blocks: [{ type: 'thinking', thinking, signature }],
    });
    const kept = (said: string, extras: object | undefined, more: object = {}): ResponseEvent => ({
      type: 'output_item_done',
      item: {
        type: 'reasoning',
        content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
        ...(extras && { extras }),
        ...more,
      } as ReasoningItem,
    });
    const chunk = (fields: object) => ({ choices: [{ index: 0, delta: fields }] });

    it.each<[string, object, readonly ResponseEvent[]]>([
      ['with the words', { reasoning_content: 'Hm', ...block('Hm', null) }, [kept('Hm', block('Hm', null))]],
      ['without words', { reasoning_content: '', ...block('', 's') }, [kept('', block('', 's'))]],
      ['by itself', { reasoning_opaque: 'b3BhcXVl' }, [kept('', { reasoning_opaque: 'b3BhcXVl' })]],
      [
        'before the text that it came with',
        { content: 'Hi', extra_content: { google: { thought_signature: 's' } } },
        [kept('', { extra_content: { google: { thought_signature: 's' } } }), text('Hi')],
      ],
      [
        'nothing where there is nothing',
        { content: 'Hi', annotations: [{}], reasoning_tokens: 7 },
        [text('Hi')],
      ],
    ])('%s', (_, fields, events) => {
      expect(decode([chunk(fields)]).events.slice(0, -1)).toEqual(events);
    });

    it('and who said it, and its account of the reasoning, where that is known', () => {
      const details = [{ type: 'reasoning.text', text: 'Hm' }];
      expect(
        decode(
          [
            chunk({ reasoning: 'Hm', reasoning_details: details }),
            chunk({ reasoning_opaque: 'x' }),
            chunk({ reasoning: 'No more.' }),
          ],
          { provider: 'p' },
        ).events.slice(0, -1),
      ).toEqual([
        kept('Hm', undefined, { reasoning_details: details, provider: 'p' }),
        kept('', { reasoning_opaque: 'x' }, { provider: 'p' }),
        kept('No more.', undefined),
      ]);
    });

    it('of all choices together within one bound', () => {
      const half = 'x'.repeat(3_000_000);
      const of = (index: number, fields: object) => ({ choices: [{ index, delta: fields }] });
      const { events } = decode([
        of(0, { reasoning_opaque: half }),
        of(1, { reasoning_opaque: half }),
        of(1, { reasoning_content: 'Hm', reasoning_opaque: 'x' }),
      ]);
      expect(events.slice(0, -1)).toEqual([
        kept('', { reasoning_opaque: half }),
        { ...kept('Hm', undefined), choice: 1 },
      ]);
    });
  });

  it('emits an assistant message for each piece of text, and completed at the end', () => {
    const chunk = (choice: object) => ({ id: 'chatcmpl-1', model: 'm', choices: [{ index: 0, ...choice }] });
    expect(
      decode([
        chunk({ delta: { role: 'assistant', content: '' }, finish_reason: null }),
        chunk({ delta: { content: 'Hel' }, finish_reason: null }),
        chunk({ delta: { content: 'lo' }, finish_reason: null }),
        chunk({ delta: {}, finish_reason: 'stop' }),
        { id: 'chatcmpl-1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
      ]),
    ).toEqual({
      events: [
        text('Hel'),
        text('lo'),
        completed({
          responseId: 'chatcmpl-1',
          model: 'm',
          finishReason: 'stop',
          usage: {
            inputTokens: 3,
            cachedInputTokens: 0,
            outputTokens: 2,
            reasoningOutputTokens: 0,
            totalTokens: 5,
          },
        }),
      ],
      error: undefined,
    });
  });

  it('emits only completed where nothing came, without a model', () => {
    const { events } = decode([]);
    expect(events).toStrictEqual([completed()]);
  });

  it('emits what one push stands for before it returns', () => {
    const events: ResponseEvent[] = [];
    const decoder = chunkDecoder((event) => events.push(event));
    decoder.push({ data: JSON.stringify(delta('a')) });
    expect(events).toEqual([text('a')]);
  });

  describe('reads text', () => {
    it('of the last chunk too, where it has a finish reason', () => {
      expect(decode([{ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] }]).events).toEqual([
        text('a'),
        completed({ finishReason: 'stop' }),
      ]);
    });

    it('unchanged: white space, line breaks and half of a surrogate pair', () => {
      expect(decode([delta(' \n'), delta('\ud83d'), delta('\ude00')]).events).toEqual([
        text(' \n'),
        text('\ud83d'),
        text('\ude00'),
        completed(),
      ]);
    });

    it('of the delta alone, where a message stands beside it', () => {
      expect(decode([{ choices: [{ delta: { content: 'b' }, message: { content: 'ab' } }] }]).events).toEqual(
        [text('b'), completed()],
      );
    });

    it('of an event of any type but error', () => {
      expect(decode([{ event: 'delta', id: '1', data: JSON.stringify(delta('a')) }]).events).toEqual([
        text('a'),
        completed(),
      ]);
    });

    it.each([null, '', true, {}, { text: null }])('as none where the content is %j', (content) => {
      expect(decode([delta(content)]).events).toEqual([completed()]);
    });
  });

  describe('emits nothing, and reads on, where', () => {
    it.each<[string, Chunk]>([
      ['choices is empty', { choices: [] }],
      ['choices is null', { choices: null }],
      ['choices is missing', {}],
      ['choices is an object', { choices: { 0: { delta: { content: 'x' } } } }],
      ['choices is a text', { choices: 'x' }],
      ['a choice is null', { choices: [null] }],
      ['a choice is a list', { choices: [[{ delta: { content: 'x' } }]] }],
      ['a choice has no delta', { choices: [{ index: 0, content_filter_results: {} }] }],
      ['the delta is null', { choices: [{ delta: null }] }],
      ['the delta is a text', { choices: [{ delta: 'x' }] }],
      ['the delta is a list', { choices: [{ delta: ['x'] }] }],
    ])('%s', (_, chunk) => {
      expect(decode([delta('a'), chunk, delta('b')])).toEqual({
        events: [text('a'), text('b'), completed()],
        error: undefined,
      });
    });
  });

  describe('takes the finish reason', () => {
    const reason = (finish_reason: unknown) => ({ choices: [{ delta: {}, finish_reason }] });
    const finish = (...reasons: readonly unknown[]) =>
      decode(reasons.map(reason)).events.map((event) => event.type === 'completed' && event.finishReason);

    it('as the provider wrote it', () => {
      expect(finish('eos')).toEqual(['eos']);
    });

    it('that came last, and keeps it where an empty one follows', () => {
      expect(finish('length', 'stop', null, '')).toEqual(['stop']);
    });

    it.each(['', null, 0, 7, {}, ['stop']])('for none where it is %j', (value) => {
      expect(finish(value)).toEqual([null]);
    });

    it('of a choice without a delta', () => {
      expect(decode([{ choices: [{ finish_reason: 'stop' }] }]).events).toEqual([
        completed({ finishReason: 'stop' }),
      ]);
    });
  });

  describe('takes id and model', () => {
    it('of the first chunk that has one', () => {
      expect(
        decode([
          { id: '', model: '', choices: [] },
          { id: 'a', choices: [] },
          { id: 'b', model: 'm', choices: [] },
          { id: 'c', model: 'n', choices: [] },
        ]).events,
      ).toEqual([completed({ responseId: 'a', model: 'm' })]);
    });

    it.each([null, true, {}, []])('for none where they are %j', (value) => {
      expect(decode([{ id: value, model: value, choices: [] }]).events).toStrictEqual([completed()]);
    });
  });

  describe('takes the usage', () => {
    const usage = (total: number) => ({ prompt_tokens: 0, completion_tokens: total, total_tokens: total });
    const totals = (...chunks: readonly Chunk[]) =>
      decode(chunks).events.map((event) => event.type === 'completed' && event.usage?.totalTokens);

    it('that came last, and keeps it where null or none follows', () => {
      expect(totals({ usage: usage(1) }, { usage: usage(2), choices: [] }, { usage: null }, {})).toEqual([2]);
    });

    it('of a chunk without choices, and of one with text', () => {
      expect(totals({ choices: null, usage: usage(3) })).toEqual([3]);
      expect(decode([{ ...delta('a'), usage: usage(4) }]).events).toMatchObject([
        text('a'),
        { type: 'completed', usage: { totalTokens: 4 } },
      ]);
    });

    it('of a choice, where the chunk has none of its own', () => {
      expect(totals({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: usage(5) }] })).toEqual([
        5,
      ]);
      expect(totals({ choices: [{ usage: usage(6) }] })).toEqual([6]);
    });

    it.each(['x', 7, [], true])('for none where it is %j', (value) => {
      expect(decode([{ usage: value }]).events).toEqual([completed()]);
    });
  });

  describe('skips data that is no JSON object', () => {
    it.each([
      '',
      'not json',
      '{"choices":[{"delta":{"content":"x"',
      'null',
      '42',
      '"text"',
      '[]',
      '[1]',
      'true',
    ])('and tells of its length and position: %s', (data) => {
      const onMalformed = jest.fn();
      expect(decode([delta('a'), {}, { data }, delta('b'), { data }], { onMalformed })).toEqual({
        events: [text('a'), text('b'), completed()],
        error: undefined,
      });
      expect(onMalformed.mock.calls).toEqual([
        [{ length: data.length, position: 2 }],
        [{ length: data.length, position: 4 }],
      ]);
    });

    it('where nobody wants to be told', () => {
      expect(decode([{ data: 'not json' }])).toEqual({ events: [completed()], error: undefined });
    });
  });

  describe('throws a ProviderStreamError', () => {
    it('after the text that came before it, and emits no completed', () => {
      const { events, error } = decode([delta('a'), { error: { message: 'no' } }, delta('b')]);
      expect(events).toEqual([text('a')]);
      expect(error).toBeInstanceOf(ProviderStreamError);
    });

    it('with 65,536 characters of what the provider said, and redacts no more', () => {
      let redacted = 0;
      const redact = (said: string) => ((redacted += said.length), said);
      const { error } = decode([{ error: { message: 'a'.repeat(1_000_000) } }], { redact });
      expect((error as ProviderStreamError).providerMessage).toBe('a'.repeat(65_536));
      expect(redacted).toBe(65_536);
    });

    it.each<[string, Message, object]>([
      [
        'an error object (OpenAI)',
        { error: { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limited' } },
        {
          providerMessage: 'Slow down',
          errorType: 'rate_limit_error',
          code: 'rate_limited',
          status: undefined,
        },
      ],
      [
        'an error object with a status for its code (OpenRouter)',
        { id: 'gen-1', choices: [], error: { code: 502, message: 'Upstream' } },
        { providerMessage: 'Upstream', errorType: undefined, code: '502', status: 502 },
      ],
      [
        'an error object beside a choice',
        { choices: [{ delta: { content: 'x' }, finish_reason: 'error' }], error: { message: 'Broken' } },
        { providerMessage: 'Broken', errorType: undefined, code: undefined, status: undefined },
      ],
      [
        'an error text (Ollama)',
        { error: 'model is gone' },
        { providerMessage: 'model is gone', errorType: undefined, code: undefined, status: undefined },
      ],
      [
        'an error text with its code (xAI)',
        { code: 'invalid-argument', error: 'no such model' },
        {
          providerMessage: 'no such model',
          errorType: undefined,
          code: 'invalid-argument',
          status: undefined,
        },
      ],
      [
        'an object that says it is an error (Mistral, vLLM)',
        { object: 'error', message: 'no', type: 'invalid_model', code: '1500' },
        { providerMessage: 'no', errorType: 'invalid_model', code: '1500', status: undefined },
      ],
      [
        'a type that says it is an error (Anthropic)',
        { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
        { providerMessage: 'Overloaded', errorType: 'overloaded_error', code: undefined, status: undefined },
      ],
      [
        'a detail (FastAPI)',
        { detail: 'Not Found' },
        { providerMessage: 'Not Found', errorType: undefined, code: undefined, status: undefined },
      ],
      [
        'an error in a list (Gemini)',
        '[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]',
        { providerMessage: 'Quota', errorType: undefined, code: '429', status: 429 },
      ],
      [
        'an empty error object',
        { error: {} },
        { providerMessage: undefined, errorType: undefined, code: undefined, status: undefined },
      ],
      [
        'an error event with an error object (Groq)',
        { event: 'error', data: '{"error":{"message":"no","type":"server_error","code":null}}' },
        { providerMessage: 'no', errorType: 'server_error', code: undefined, status: undefined },
      ],
      [
        'an error event with prose',
        { event: 'error', data: 'upstream connect error' },
        {
          providerMessage: 'upstream connect error',
          errorType: undefined,
          code: undefined,
          status: undefined,
        },
      ],
      [
        'an error event with JSON that has another shape',
        { event: 'error', data: '{"reason":"no"}' },
        { providerMessage: '{"reason":"no"}', errorType: undefined, code: undefined, status: undefined },
      ],
      [
        'an error event that says nothing',
        { event: 'error', data: '' },
        { providerMessage: '', errorType: undefined, code: undefined, status: undefined },
      ],
    ])('for %s', (_, message, details) => {
      expect(failureOf(message)).toMatchObject(details);
    });

    it.each([null, false, '', 0])('not for an error that is %j', (error) => {
      for (const chunk of [delta('a'), { choices: [] }, { choices: null }, {}])
        expect(decode([{ ...chunk, error }]).error).toBeUndefined();
    });

    it('not for a chunk with choices that has a detail or a type of its own', () => {
      expect(decode([{ ...delta('a'), detail: 'x', type: 'error', object: 'error' }])).toEqual({
        events: [text('a'), completed()],
        error: undefined,
      });
    });

    it('whose message holds none of the words of the provider, and which serialises without them', () => {
      const failure = failureOf({ error: { message: 'SECRET', type: 'SECRET words', code: 'SECRET words' } });
      expect(failure.message).toBe('The provider reported an error inside the stream.');
      expect(JSON.stringify(failure)).not.toContain('SECRET');
      expect(failure.providerMessage).toBe('SECRET');
    });

    it('with its words redacted', () => {
      const { error } = decode([{ error: { message: 'key k1', type: 'k1', code: 'k1' } }], {
        redact: (said) => said.replaceAll('k1', '***'),
      });
      expect(error).toMatchObject({ providerMessage: 'key ***', errorType: '***', code: '***' });
    });

    it.each<[string, object, object]>([
      ['words', { message: 'a' }, { providerMessage: 'a', errorType: undefined, code: undefined }],
      ['a type', { type: 'a' }, { providerMessage: undefined, errorType: 'a', code: undefined }],
      ['a code', { code: 'a' }, { providerMessage: undefined, errorType: undefined, code: 'a' }],
    ])('with %s alone, where nothing else is there to redact', (_, error, expected) => {
      const decoded = decode([{ error }], { redact: (said) => said.replaceAll('k1', '***') });
      expect(decoded.error).toBeInstanceOf(ProviderStreamError);
      expect(decoded.error).toMatchObject(expected);
    });

    it('and nothing but a ChatCompletionsError where data is nested beyond reason', () => {
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      for (const data of [deep, `{"error":${deep}}`, `{"error":{"message":${deep}}}`, `{"detail":${deep}}`]) {
        const { error } = decode([{ data }]);
        expect(error instanceof ChatCompletionsError ? undefined : error).toBeUndefined();
      }
    });
  });

  describe('reads content in parts', () => {
    it('text to text, thinking to reasoning, a refusal to a refusal, each as it comes', () => {
      expect(
        decode([
          delta([
            { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
            { type: 'text', text: 'a' },
            { type: 'output_text', text: 'b' },
            'c',
            { type: 'reasoning', text: 'So' },
            { type: 'refusal', refusal: 'No.' },
          ]),
        ]).events,
      ).toStrictEqual([
        thought('Hm'),
        text('a'),
        text('b'),
        text('c'),
        thought('So'),
        refusal('No.'),
        completed(),
      ]);
    });

    it.each<[string, unknown]>([
      ['of an unknown type', { type: 'image_url', image_url: { url: 'x' }, text: 'x' }],
      ['without a type or text', { value: 'x' }],
      ['with text that is none', { type: 'text', text: { value: 'x' } }],
      ['with text that is a list', { type: 'text', text: [{ type: 'text', text: 'x' }] }],
      ['with a refusal and an unknown type', { type: 'x', refusal: 'x' }],
      ['with empty text', { type: 'text', text: '' }],
      ['with an empty thought', { type: 'thinking', thinking: [] }],
      ['with an empty refusal', { type: 'refusal', refusal: '' }],
      ['that is null', null],
      ['that is true', true],
      ['that is a list', [{ type: 'text', text: 'x' }]],
      ['that is empty text', ''],
    ])('and passes over one %s', (_, part) => {
      expect(decode([delta([part, { type: 'text', text: 'a' }])]).events).toEqual([text('a'), completed()]);
    });
  });

  describe('reads reasoning', () => {
    it.each(['reasoning_content', 'reasoning', 'thinking'])('of %s, before the text beside it', (name) => {
      expect(decode([says({ content: 'a', [name]: 'Hm' })]).events).toEqual([
        thought('Hm'),
        text('a'),
        completed(),
      ]);
    });

    it('once, where two aliases and the details say the same', () => {
      const details = [{ type: 'reasoning.text', text: 'Hm', index: 0 }];
      expect(
        decode([says({ reasoning: 'Hm', reasoning_content: 'Hm', reasoning_details: details })]).events,
      ).toStrictEqual([thought('Hm', details), completed()]);
    });

    it('of the details, where nothing else says it', () => {
      const details = [{ type: 'reasoning.summary', summary: 'Hm' }];
      expect(decode([says({ reasoning_details: details })]).events).toStrictEqual([
        thought('Hm', details),
        completed(),
      ]);
    });

    it('that is encrypted as an item without words', () => {
      const details = [{ type: 'reasoning.encrypted', data: 'x', index: 0 }];
      expect(decode([says({ reasoning: null, reasoning_details: details })]).events).toStrictEqual([
        {
          type: 'output_item_done',
          item: { type: 'reasoning', content: [], reasoning_details: details },
        },
        completed(),
      ]);
    });

    it.each([null, '', [], {}, true])('as none where it is %j', (value) => {
      expect(decode([says({ reasoning: value, reasoning_details: value })]).events).toEqual([completed()]);
    });
  });

  it('reads a refusal in pieces, beside text', () => {
    expect(decode([says({ content: 'a', refusal: 'I ' }), says({ refusal: 'must not.' })]).events).toEqual([
      text('a'),
      refusal('I '),
      refusal('must not.'),
      completed(),
    ]);
  });

  it.each([null, '', true, {}, ['x']])('reads a refusal that is %j as none', (value) => {
    expect(decode([says({ refusal: value })]).events).toEqual([completed()]);
  });

  describe('of a provider that sends all again each time', () => {
    const deltas = 'cumulative';

    it('emits what is new of text and reasoning, each by itself', () => {
      const messages = [
        says({ reasoning_content: 'The user' }),
        says({ reasoning_content: 'The user greets.' }),
        says({ reasoning_content: 'The user greets.', content: 'Hi' }),
        says({ reasoning_content: 'The user greets.', content: 'Hi there.' }),
        says({ content: 'Hi there.' }, 'stop'),
      ];
      expect(decode(messages, { deltas }).events).toEqual([
        thought('The user'),
        thought(' greets.'),
        text('Hi'),
        text(' there.'),
        completed({ finishReason: 'stop' }),
      ]);
    });

    it('keeps the texts of its choices apart', () => {
      const of = (index: number, content: string) => ({ choices: [{ index, delta: { content } }] });
      expect(decode([of(0, 'a'), of(1, 'b'), of(0, 'ab'), of(1, 'bc')], { deltas }).events).toEqual([
        text('a'),
        { ...text('b'), choice: 1 },
        text('b'),
        { ...text('c'), choice: 1 },
        completed({ choices: [{ choice: 1, finishReason: null }] }),
      ]);
    });

    it('emits details without new text', () => {
      const details = [{ type: 'reasoning.encrypted', data: 'x' }];
      expect(
        decode([says({ reasoning: 'Hm' }), says({ reasoning: 'Hm', reasoning_details: details })], { deltas })
          .events,
      ).toEqual([
        thought('Hm'),
        { type: 'output_item_done', item: { type: 'reasoning', content: [], reasoning_details: details } },
        completed(),
      ]);
    });

    it.each([undefined, 'incremental'] as const)('touches no text that repeats itself with %p', (other) => {
      expect(decode([delta('ha'), delta('haha'), delta('haha')], { deltas: other }).events).toEqual([
        text('ha'),
        text('haha'),
        text('haha'),
        completed(),
      ]);
    });
  });

  describe('reads calls', () => {
    const begins = { index: 0, id: 'a', function: { name: 'f', arguments: '{' } };
    const goesOn = { index: 0, function: { arguments: '}' } };

    it('and gives them whole at the end, after the usage that follows the finish reason', () => {
      const { events } = decode([
        says({ tool_calls: [begins] }),
        says({ tool_calls: [goesOn] }),
        says({}, 'tool_calls'),
        { choices: [], usage: { total_tokens: 1 } },
      ]);
      expect(events).toMatchObject([
        progress('a', '{'),
        progress('a', '}'),
        call('a', 'f', '{}'),
        { type: 'completed', finishReason: 'tool_calls', usage: { totalTokens: 1 } },
      ]);
    });

    it('whose last fragment stands beside the finish reason', () => {
      expect(
        decode([says({ tool_calls: [begins] }), says({ tool_calls: [goesOn] }, 'tool_calls')]).events,
      ).toEqual([
        progress('a', '{'),
        progress('a', '}'),
        call('a', 'f', '{}'),
        completed({ finishReason: 'tool_calls' }),
      ]);
    });

    it('and gives them whole at the end, where there is no finish reason', () => {
      const events: ResponseEvent[] = [];
      const decoder = chunkDecoder((event) => events.push(event));
      decoder.push({ data: JSON.stringify(says({ tool_calls: [begins, goesOn] })) });
      expect(events).toEqual([progress('a', '{'), progress('a', '}')]);
      decoder.end();
      expect(events.slice(2)).toEqual([call('a', 'f', '{}'), completed()]);
    });

    it('where the finish reason is stop', () => {
      expect(decode([says({ tool_calls: [begins] }, 'stop')]).events).toEqual([
        progress('a', '{'),
        call('a', 'f', '{'),
        completed({ finishReason: 'stop' }),
      ]);
    });

    it('and gives none where the finish reason says that there are some and there are none', () => {
      expect(decode([says({ content: 'a' }), says({}, 'tool_calls')]).events).toEqual([
        text('a'),
        completed({ finishReason: 'tool_calls' }),
      ]);
    });

    it('and gives a call once, whole, where a fragment follows the finish reason', () => {
      expect(
        decode([says({ tool_calls: [begins] }, 'tool_calls'), says({ tool_calls: [goesOn] })]).events,
      ).toEqual([
        progress('a', '{'),
        progress('a', '}'),
        call('a', 'f', '{}'),
        completed({ finishReason: 'tool_calls' }),
      ]);
    });

    it('and gives none that never got a name, which it tells of', () => {
      const nameless: unknown[] = [];
      const { events } = decode(
        [says({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{}' } }] }, 'tool_calls')],
        { onNameless: (told) => nameless.push(told) },
      );
      expect(events).toEqual([completed({ finishReason: 'tool_calls' })]);
      expect(nameless).toEqual([{ length: 2 }]);
    });

    it('and gives a call once, where the finish reason is repeated', () => {
      expect(
        decode([says({ tool_calls: [begins] }, 'tool_calls'), says({}, 'tool_calls'), says({}, 'stop')])
          .events,
      ).toEqual([progress('a', '{'), call('a', 'f', '{'), completed({ finishReason: 'stop' })]);
    });

    it('after the text and the reasoning of their delta', () => {
      expect(
        decode([says({ tool_calls: [begins], content: 'a', reasoning: 'Hm' }, 'stop')]).events.map(
          ({ type }) => type,
        ),
      ).toEqual([
        'output_item_done',
        'output_item_done',
        'function_call_arguments_delta',
        'output_item_done',
        'completed',
      ]);
    });

    it('of each choice by itself, choice 0 first', () => {
      const of = (index: number, fragment: object, finish_reason: string | null = null) => ({
        choices: [{ index, delta: { tool_calls: [fragment] }, finish_reason }],
      });
      expect(
        decode(
          [
            of(0, { index: 0, id: 'a', function: { name: 'f', arguments: '1' } }),
            of(1, { index: 0, function: { name: 'g', arguments: '2' } }),
            of(1, { index: 0, function: { arguments: '3' } }, 'tool_calls'),
            of(0, { index: 0, function: { arguments: '4' } }, 'stop'),
          ],
          { random: () => 0 },
        ).events,
      ).toEqual([
        progress('a', '1'),
        { ...progress('000000001', '2', 'g'), choice: 1 },
        { ...progress('000000001', '3', 'g'), choice: 1 },
        progress('a', '4'),
        call('a', 'f', '14'),
        { ...call('000000001', 'g', '23'), choice: 1 },
        completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'tool_calls' }] }),
      ]);
    });

    it('as OpenAI wrote them first: one function_call without an id', () => {
      expect(
        decode(
          [
            says({ function_call: { name: 'f', arguments: '' } }),
            says({ function_call: { arguments: '{' } }),
            says({ function_call: { arguments: '}' } }),
            says({}, 'function_call'),
          ],
          { random: () => 0.5 },
        ).events,
      ).toEqual([
        progress('i00000000', '{'),
        progress('i00000000', '}'),
        call('i00000000', 'f', '{}'),
        completed({ finishReason: 'function_call' }),
      ]);
    });

    it('once, where tool_calls and function_call say the same', () => {
      const body = { name: 'f', arguments: '{}' };
      const { events } = decode([
        says({ tool_calls: [{ index: 0, id: 'a', function: body }], function_call: body }, 'stop'),
      ]);
      expect(events).toEqual([
        progress('a', '{}'),
        call('a', 'f', '{}'),
        completed({ finishReason: 'stop' }),
      ]);
    });

    describe('and what the end of their choice says of them', () => {
      const fragment = (text: string, index = 0) => ({
        tool_calls: [{ index, id: `id_${index}`, function: { name: 'f', arguments: text } }],
      });
      const custom = { tool_calls: [{ index: 0, id: 'id_0', custom: { name: 'sh', input: 'rm -rf /' } }] };
      /** The texts of the calls that are emitted, and how many were cut. */
      const outcome = (messages: readonly Message[]) => {
        const { events } = decode(messages);
        const end = events.at(-1);
        return {
          whole: events.flatMap((event) => {
            if (event.type !== 'output_item_done') return [];
            if (event.item.type === 'function_call') return [event.item.arguments];
            return event.item.type === 'custom_tool_call' ? [event.item.input] : [];
          }),
          cut: end?.type === 'completed' ? (end.incompleteCalls ?? 0) : undefined,
        };
      };
      const ends = {
        'a reason': [says({}, 'tool_calls')],
        '[DONE] alone': ['[DONE]'],
        eof: [],
        'length, then [DONE]': [says({}, 'length'), '[DONE]'],
      };

      it.each<[string, keyof typeof ends, object, boolean]>([
        ['whole arguments', 'a reason', fragment('{"a":1}'), true],
        ['whole arguments', '[DONE] alone', fragment('{"a":1}'), true],
        ['whole arguments', 'eof', fragment('{"a":1}'), true],
        ['whole arguments', 'length, then [DONE]', fragment('{"a":1}'), true],
        ['half of its arguments', 'a reason', fragment('{"a":'), true],
        ['half of its arguments', '[DONE] alone', fragment('{"a":'), false],
        ['half of its arguments', 'eof', fragment('{"a":'), false],
        ['half of its arguments', 'length, then [DONE]', fragment('{"a":'), false],
        ['a number', '[DONE] alone', fragment('14'), true],
        ['a number', 'eof', fragment('14'), false],
        ['a list', 'eof', fragment('[]'), false],
        ['what may be a placeholder', 'a reason', fragment('{}'), true],
        ['what may be a placeholder', '[DONE] alone', fragment('{}'), true],
        ['what may be a placeholder', 'eof', fragment(' {}'), false],
        ['what may be a placeholder', 'length, then [DONE]', fragment('{}'), false],
        ['a name alone', 'a reason', fragment(''), true],
        ['a name alone', '[DONE] alone', fragment(''), true],
        ['a name alone', 'eof', fragment(''), false],
        ['a name alone', 'length, then [DONE]', fragment(''), false],
        ["a custom tool's input", 'a reason', custom, true],
        ["a custom tool's input", '[DONE] alone', custom, true],
        ["a custom tool's input", 'eof', custom, false],
        ["a custom tool's input", 'length, then [DONE]', custom, false],
      ])('%s, at %s', (_, end, delta, isWhole) => {
        const { whole, cut } = outcome([says(delta), ...ends[end]]);
        expect({ items: whole.length, cut }).toEqual(isWhole ? { items: 1, cut: 0 } : { items: 0, cut: 1 });
      });

      it.each([
        ['sent twice', ['{}', '{}']],
        ['after null', ['null', '{}']],
        ['with blanks in it', ['{ }']],
        ['with blanks after it', ['{}', ' ']],
      ])('what may be a placeholder, %s, at eof', (_, texts) => {
        const deltas = texts.map((each) => says(fragment(each)));
        expect(outcome(deltas)).toEqual({ whole: [], cut: 1 });
      });

      it('an empty object that came in pieces, at eof', () => {
        expect(outcome([says(fragment('{')), says(fragment('}'))])).toEqual({ whole: ['{}'], cut: 0 });
      });

      it.each([
        'stop',
        'STOP',
        'end_turn',
        'stop_sequence',
        'tool_use',
        'TOOL_CALL',
        'tool-calls',
        'COMPLETE',
      ])('all are whole where the finish reason is %s', (reason) => {
        expect(outcome([says(custom, reason)])).toEqual({ whole: ['rm -rf /'], cut: 0 });
      });

      it.each([
        ...['length', 'max_tokens', 'MAX_TOKENS', 'model_length', 'max_output_tokens'],
        ...['content_filter', 'SAFETY', 'RECITATION', 'sensitive', 'guardrail_intervened'],
        ...['abort', 'pause_turn', 'function_call_filter: MALFORMED_FUNCTION_CALL', 'stop_limit', 'another'],
      ])('what may be cut is not where it is %s', (reason) => {
        expect(outcome([says(custom, reason), '[DONE]'])).toEqual({ whole: [], cut: 1 });
        expect(outcome([says(fragment('{"a":1}')), says(fragment('{"b":', 1)), says({}, reason)])).toEqual({
          whole: ['{"a":1}'],
          cut: 1,
        });
      });

      it('a finish reason that came before the last fragment says nothing, unless [DONE] follows', () => {
        const early = [says(fragment('{"a":'), 'tool_calls'), says(fragment('"b'))];
        expect(outcome(early)).toEqual({ whole: [], cut: 1 });
        expect(outcome([...early, '[DONE]'])).toEqual({ whole: ['{"a":"b'], cut: 0 });
        expect(outcome([says(fragment('{"a":'), 'stop'), says({ tool_calls: [] })]).cut).toBe(0);
      });

      it('each choice has its own end, and all that were cut are counted', () => {
        const at = (index: number, finish_reason: string | null) => ({
          choices: [{ index, delta: fragment('{"a":'), finish_reason }],
        });
        const { events } = decode([at(0, 'length'), at(1, 'stop'), at(2, null)]);
        expect(events.slice(3)).toEqual([
          { ...call('id_0', 'f', '{"a":'), choice: 1 },
          completed({
            finishReason: 'length',
            endedBy: 'eof',
            choices: [
              { choice: 1, finishReason: 'stop' },
              { choice: 2, finishReason: null },
            ],
            incompleteCalls: 2,
          }),
        ]);
      });

      it('a name alone that was cut is told in a delta, so that snapshots have it', () => {
        expect(decode([says(fragment(''))]).events).toEqual([
          progress('id_0', ''),
          completed({ incompleteCalls: 1 }),
        ]);
      });

      it('a call without a name, and the echo of a name, are none that were cut', () => {
        const nameless = { tool_calls: [{ index: 0, id: 'a', function: { arguments: '{' } }] };
        expect(outcome([says(nameless)])).toEqual({ whole: [], cut: 0 });
        const whole = { tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] };
        const echo = { tool_calls: [{ function: { name: 'f', arguments: '' } }] };
        expect(outcome([says(whole), says(echo)])).toEqual({ whole: ['{"a":1}'], cut: 0 });
      });
    });

    it.each([null, 'x', 7, {}, [], [null]])('as none where they are %j', (calls) => {
      expect(decode([says({ tool_calls: calls }), says({ content: 'a' })]).events).toEqual([
        text('a'),
        completed(),
      ]);
    });

    it.each([null, 'x', 7, []])('as none where function_call is %j', (value) => {
      expect(decode([says({ function_call: value })]).events).toEqual([completed()]);
    });
  });

  describe('keeps several choices apart', () => {
    const at = (index: unknown, content: string, finish_reason: string | null = null) => ({
      index,
      delta: { content },
      finish_reason,
    });

    it('by a mark on the events of every choice but the first', () => {
      expect(
        decode([
          { choices: [at(1, 'b')] },
          { choices: [at(0, 'a'), at(1, 'B', 'length')] },
          { choices: [at(0, 'A', 'stop')] },
        ]).events,
      ).toStrictEqual([
        { ...text('b'), choice: 1 },
        text('a'),
        { ...text('B'), choice: 1 },
        text('A'),
        completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'length' }] }),
      ]);
    });

    it('and tells of the others in their order, with null for no finish reason', () => {
      expect(
        decode([
          { choices: [at(5, 'f'), at(2, 'c', 'stop'), { index: 9, finish_reason: 'length' }] },
        ]).events.at(-1),
      ).toStrictEqual(
        completed({
          choices: [
            { choice: 2, finishReason: 'stop' },
            { choice: 5, finishReason: null },
            { choice: 9, finishReason: 'length' },
          ],
        }),
      );
    });

    it.each([undefined, null, -1, 0.5, '-7', 'x', {}])('by their place, where the index is %j', (index) => {
      expect(decode([{ choices: [at(index, 'a'), at(index, 'b')] }]).events).toEqual([
        text('a'),
        { ...text('b'), choice: 1 },
        completed({ choices: [{ choice: 1, finishReason: null }] }),
      ]);
    });

    it('by their index before their place', () => {
      expect(decode([{ choices: [at(1, 'b'), at(0, 'a')] }]).events).toEqual([
        { ...text('b'), choice: 1 },
        text('a'),
        completed({ choices: [{ choice: 1, finishReason: null }] }),
      ]);
    });

    it('and tells nothing of one that neither says anything nor ends', () => {
      expect(
        decode([{ choices: [at(0, 'a'), { index: 1 }, { index: 2, finish_reason: null }] }]).events,
      ).toEqual([text('a'), completed()]);
    });

    it('and reads no more than 128 of one chunk', () => {
      const choices = Array.from({ length: 129 }, (_, place) => at(0, String(place)));
      const { events } = decode([{ choices }]);
      expect(events.at(-2)).toEqual(text('127'));
    });

    it('up to 128 of them', () => {
      const { events } = decode([
        { choices: [at(127, 'a'), at(128, 'x', 'stop'), at(Number.MAX_SAFE_INTEGER, 'x'), at(1e300, 'x')] },
      ]);
      expect(events).toEqual([
        { ...text('a'), choice: 127 },
        completed({ choices: [{ choice: 127, finishReason: null }] }),
      ]);
    });

    it('with the reasoning and the refusals of each', () => {
      expect(
        decode([{ choices: [{ index: 3, delta: { reasoning: 'Hm', refusal: 'No.' } }] }]).events,
      ).toMatchObject([
        { ...thought('Hm'), choice: 3 },
        { ...refusal('No.'), choice: 3 },
        { type: 'completed' },
      ]);
    });

    it('and fails with any of them', () => {
      expect(decode([{ choices: [at(0, 'a'), at(1, 'b', 'error')] }])).toMatchObject({
        events: [text('a'), { ...text('b'), choice: 1 }],
        error: { name: 'ProviderStreamError' },
      });
    });
  });

  describe('fails at the finish reason error', () => {
    it('after what stands beside it', () => {
      const { events, error } = decode([says({ content: 'a' }, 'error'), says({ content: 'b' })]);
      expect(events).toEqual([text('a')]);
      expect(error).toBeInstanceOf(ProviderStreamError);
      expect(error).toMatchObject({ code: undefined, providerMessage: undefined, status: undefined });
    });

    it('with the error that the choice holds', () => {
      const chunk = {
        choices: [{ delta: {}, finish_reason: 'error', error: { code: 502, message: 'Upstream' } }],
      };
      expect(failureOf(chunk)).toMatchObject({ code: '502', status: 502, providerMessage: 'Upstream' });
    });
  });

  describe('with includeChunks', () => {
    const decodeAll = (...messages: readonly Message[]) => decode(messages, { includeChunks: true });

    it('gives each chunk as it came before what it stands for, whatever it holds', () => {
      const first = {
        id: 'c',
        system_fingerprint: 'fp',
        service_tier: 'default',
        choices: [
          { index: 0, delta: { content: 'a', annotations: [{}] }, logprobs: { content: [{ token: 'a' }] } },
        ],
      };
      const second = { choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
      expect(decodeAll(first, second).events).toStrictEqual([
        { type: 'chunk', chunk: first },
        text('a'),
        { type: 'chunk', chunk: second },
        completed({ responseId: 'c' }),
      ]);
    });

    it('gives none for data that is no JSON object', () => {
      expect(decodeAll('not json', '7', '[]', 'null').events).toEqual([completed()]);
    });

    it.each<[string, Message, readonly ResponseEvent[]]>([
      ['an error', { error: { message: 'no' } }, []],
      ['an error event', { event: 'error', data: '{"code":429}' }, []],
      [
        'an error inside a choice',
        { choices: [{ delta: { content: 'a' }, error: { code: 502 } }] },
        [text('a')],
      ],
      ['a finish reason that is an error', says({ content: 'a' }, 'error'), [text('a')]],
    ])('gives none for %s, and what came with it all the same', (_, message, expected) => {
      const { events, error } = decodeAll(message);
      expect(events).toEqual(expected);
      expect(error).toBeInstanceOf(ProviderStreamError);
    });

    it('gives a chunk without the key that a provider repeats', () => {
      const redact = (said: string) => said.replaceAll('sk-12345', '***');
      const { events } = decode([{ debug: { auth: 'Bearer sk-12345' }, ...delta('a') }], {
        includeChunks: true,
        redact,
      });
      expect(events).toEqual([
        { type: 'chunk', chunk: { debug: { auth: 'Bearer ***' }, ...delta('a') } },
        text('a'),
        completed(),
      ]);
    });

    it('gives no chunk that is no JSON without the key', () => {
      const redact = (said: string) => said.replaceAll('12345678', '***');
      const { events } = decode([{ created: 12345678, ...delta('a') }], { includeChunks: true, redact });
      expect(events).toEqual([text('a'), completed()]);
    });

    it('gives none where it was not asked for', () => {
      expect(decode([delta('a')]).events).toEqual([text('a'), completed()]);
    });
  });

  describe('reads on', () => {
    it.each<[string, readonly Chunk[], readonly ResponseEvent[]]>([
      [
        'after the finish reason',
        [says({ content: 'a' }, 'stop'), says({ content: 'b' })],
        [text('a'), text('b'), completed({ finishReason: 'stop' })],
      ],
      [
        'where the role is repeated in every chunk',
        [says({ role: 'assistant', content: 'a' }), says({ role: 'assistant', content: 'b' })],
        [text('a'), text('b'), completed()],
      ],
      [
        "past Azure's chunk of prompt filter results, whose id and model are empty",
        [
          { id: '', model: '', choices: [], prompt_filter_results: [{}] },
          { id: 'c', model: 'm', ...says({ content: 'a' }) },
        ],
        [text('a'), completed({ responseId: 'c', model: 'm' })],
      ],
      [
        'where the id is another in every chunk',
        [
          { id: 'x', ...says({ content: 'a' }) },
          { id: 'y', ...says({ content: 'b' }) },
        ],
        [text('a'), text('b'), completed({ responseId: 'x' })],
      ],
      [
        'past the cumulative message beside the delta',
        [
          { choices: [{ delta: { content: 'a' }, message: { role: 'assistant', content: 'a' } }] },
          { choices: [{ delta: { content: 'b' }, message: { role: 'assistant', content: 'ab' } }] },
        ],
        [text('a'), text('b'), completed()],
      ],
    ])('%s', (_, chunks, expected) => {
      expect(decode(chunks)).toEqual({ events: expected, error: undefined });
    });
  });

  describe('reads what is nearly right:', () => {
    const words = (...messages: readonly Message[]) => {
      const { events, error } = decode(messages);
      expect(error).toBeUndefined();
      return events;
    };

    it('numbers where text is expected, a token each', () => {
      expect(
        words(
          { id: 7, ...delta('It costs ') },
          delta(12),
          delta('.'),
          delta(5),
          delta(0),
          delta([{ type: 'text', text: 3 }, 4]),
          says({ reasoning_content: 42 }),
          says({ refusal: 1 }),
        ),
      ).toEqual([
        ...['It costs ', '12', '.', '5', '0', '3', '4'].map(text),
        thought('42'),
        refusal('1'),
        completed({ responseId: '7' }),
      ]);
    });

    it('parts without a type, and one part that stands in no list', () => {
      expect(
        words(
          delta([{ text: 'a' }, { thinking: 'Hm' }]),
          delta({ type: 'text', text: 'b' }),
          delta({ text: 'c' }),
        ),
      ).toEqual([text('a'), thought('Hm'), text('b'), text('c'), completed()]);
    });

    it('parts of reasoning by the names of the Responses API', () => {
      expect(
        words(
          delta([{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Su' }, { text: 'm' }] }]),
          delta([{ type: 'reasoning_text', text: 'Hm' }]),
          delta([{ type: 'summary_text', text: 'So' }]),
          delta([{ type: 'reasoning', reasoning: { summary: [{ text: 'Then' }] } }]),
        ),
      ).toEqual([...['Sum', 'Hm', 'So', 'Then'].map((said) => thought(said)), completed()]);
    });

    it('reasoning_text (GitHub Copilot)', () => {
      expect(words(says({ content: '', reasoning_text: 'Hm' }), delta('a'))).toEqual([
        thought('Hm'),
        text('a'),
        completed(),
      ]);
    });

    describe('a message', () => {
      const message = (content: unknown, finish_reason: string | null = null) => ({
        choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason }],
      });

      it('in place of deltas, with all that a delta may say', () => {
        const tool_calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }];
        expect(
          words({
            choices: [
              { message: { reasoning_content: 'Hm', content: 'a', tool_calls }, finish_reason: 'tool_calls' },
            ],
          }),
        ).toEqual([
          thought('Hm'),
          text('a'),
          progress('a', '{}'),
          call('a', 'f', '{}'),
          completed({ finishReason: 'tool_calls' }),
        ]);
      });

      it('in each chunk, a piece each', () => {
        expect(words(message('Hel'), message('lo', 'stop'))).toEqual([
          text('Hel'),
          text('lo'),
          completed({ finishReason: 'stop' }),
        ]);
      });

      it('after a delta that said nothing', () => {
        expect(words(says({ role: 'assistant', content: '' }), message('a', 'stop'))).toEqual([
          text('a'),
          completed({ finishReason: 'stop' }),
        ]);
      });

      it('not after deltas, whose whole it is', () => {
        expect(words(delta('Hel'), delta('lo'), message('Hello', 'stop'))).toEqual([
          text('Hel'),
          text('lo'),
          completed({ finishReason: 'stop' }),
        ]);
      });
    });

    describe('the number of a choice', () => {
      const one = { index: 1, delta: { content: 'a' }, finish_reason: 'stop' };

      it('as text', () => {
        expect(words({ choices: [{ ...one, index: '1' }] })).toEqual([
          { ...text('a'), choice: 1 },
          completed({ choices: [{ choice: 1, finishReason: 'stop' }], endedBy: 'finish_reason' }),
        ]);
      });

      it('for 0 where the request asked for one choice, whatever it is', () => {
        const single = { choiceCount: 1 };
        expect(decode([{ choices: [one] }], single).events).toEqual([
          text('a'),
          completed({ finishReason: 'stop' }),
        ]);
        expect(decode([{ choices: [{ ...one, index: 127 }] }], single).events).toHaveLength(2);
        expect(decode([{ choices: [{ ...one, index: 128 }] }], single).events).toHaveLength(1);
        expect(decode([{ choices: [{ ...one, index: 0 }, one] }], single).events).toEqual([
          text('a'),
          { ...text('a'), choice: 1 },
          completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'stop' }] }),
        ]);
      });

      it('as it is where the request asked for several', () => {
        expect(decode([{ choices: [one] }], { choiceCount: 2 }).events[0]).toEqual({
          ...text('a'),
          choice: 1,
        });
      });
    });

    describe('usage', () => {
      const usage = { prompt_tokens: 8, completion_tokens: 3, total_tokens: 11 };
      const usageOf = (...chunks: readonly Chunk[]) => {
        const last = words(...chunks).at(-1);
        return last?.type === 'completed' ? last.usage : undefined;
      };

      it('of x_groq', () => {
        expect(usageOf({ choices: [], x_groq: { id: 'r', usage } })).toMatchObject({ inputTokens: 8 });
        expect(usageOf({ choices: [], x_groq: 'x' })).toBeNull();
      });

      it.each([{}, { cost: 1 }, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }])(
        'that came before %j, which tells none',
        (none) => {
          expect(usageOf({ usage }, { usage: none })).toMatchObject({ inputTokens: 8, totalTokens: 11 });
          expect(usageOf({ usage: none }, { usage })).toMatchObject({ inputTokens: 8, totalTokens: 11 });
          expect(usageOf({ usage: none })).toMatchObject({ inputTokens: 0, totalTokens: 0 });
        },
      );
    });

    it('data that holds several chunks, [DONE] among them', () => {
      const data = [delta('a'), delta('b')].map((chunk) => JSON.stringify(chunk)).join('\n');
      expect(words({ data }, { data: `${data}\n[DONE]\n${data}` }, delta('late'))).toEqual([
        ...['a', 'b', 'a', 'b'].map(text),
        completed({ endedBy: 'done' }),
      ]);
    });

    it('a chunk behind one that was cut, and tells of that one', () => {
      const onMalformed = jest.fn();
      const cut = '{"choices":[{"delta":{"cont';
      const { events } = decode([delta('a'), { data: `${cut}\n${JSON.stringify(delta('b'))}` }], {
        onMalformed,
      });
      expect(events).toEqual([text('a'), text('b'), completed()]);
      expect(onMalformed.mock.calls).toEqual([[{ length: cut.length + 1, position: 1 }]]);
    });

    it('an error behind one that was cut', () => {
      const data = '{"choices":[{"delta":{"cont\n{"error":{"code":"gone"}}';
      expect(failureOf({ data })).toMatchObject({ code: 'gone' });
    });

    it('control characters inside strings', () => {
      expect(words({ data: '{"choices":[{"delta":{"content":"a\tb\u001b[0m"}}]}' })).toEqual([
        text('a\tb\u001b[0m'),
        completed(),
      ]);
    });
  });

  describe('throws a ProviderStreamError for what looks like a chunk:', () => {
    it.each<[string, Chunk, object]>([
      [
        'a base_resp with a code (MiniMax)',
        { choices: null, base_resp: { status_code: 1002, status_msg: 'slow down' } },
        { code: '1002', providerMessage: 'slow down', status: undefined },
      ],
      [
        'the same beside choices',
        { choices: [], base_resp: { status_code: 1013, status_msg: 'no' } },
        { code: '1013', providerMessage: 'no' },
      ],
      [
        'an error inside a choice (OpenRouter)',
        { choices: [{ delta: { content: '' }, finish_reason: null, error: { code: 502, message: 'gone' } }] },
        { code: '502', status: 502, providerMessage: 'gone' },
      ],
      [
        'an error text inside a choice',
        { choices: [{ index: 0, error: 'gone' }] },
        { code: undefined, providerMessage: 'gone' },
      ],
      ...['network_error', 'network-error', 'error_finish', 'insufficient_system_resource'].map(
        (reason): [string, Chunk, object] => [
          `the finish reason ${reason}`,
          says({}, reason),
          { code: reason },
        ],
      ),
      [
        'a native finish reason',
        { choices: [{ delta: {}, finish_reason: 'stop', native_finish_reason: 'network_error' }] },
        { code: 'network_error' },
      ],
      [
        'code and message without choices (DashScope)',
        { code: 'DataInspectionFailed', message: 'no', request_id: 'r' },
        { code: 'DataInspectionFailed', providerMessage: 'no' },
      ],
    ])('%s', (_, chunk, details) => {
      expect(failureOf(chunk)).toMatchObject(details);
    });

    it.each<[string, Chunk]>([
      ['a base_resp that tells of success', { ...delta('a'), base_resp: { status_code: 0, status_msg: '' } }],
      ['a base_resp that is none', { ...delta('a'), base_resp: 'x' }],
      ['a base_resp beside a detail', { ...delta('a'), detail: 'x', base_resp: { status_code: 0 } }],
      ['an error in a choice that is none', { choices: [{ delta: { content: 'a' }, error: null }] }],
    ])('not for %s', (_, chunk) => {
      expect(decode([chunk])).toEqual({ events: [text('a'), completed()], error: undefined });
    });

    it.each<[string, object]>([
      ['{"code":422,"details":"no"}', { status: 422, code: '422', providerMessage: 'no' }],
      ['{"code":"busy","type":"overloaded","message":"no"}', { code: 'busy', errorType: 'overloaded' }],
      ['{"status_code":503,"message":"no"}', { status: 503, providerMessage: 'no' }],
      ['two\nlines', { providerMessage: 'two\nlines' }],
    ])('an event named error with flat fields: %j', (data, details) => {
      expect(failureOf({ event: 'error', data })).toMatchObject(details);
    });
  });

  describe('knows how the stream ended:', () => {
    const ends = (...messages: readonly Message[]) => {
      const decoder = chunkDecoder(() => undefined);
      for (const message of messages) decoder.push(toMessage(message));
      return decoder.endedBy();
    };
    const finish = (index: number, reason: string | null = 'stop') => ({
      choices: [{ index, delta: {}, finish_reason: reason }],
    });

    it.each<[string, readonly Message[], string]>([
      ['with nothing', [], 'eof'],
      ['in the middle of its text', [delta('a')], 'eof'],
      ['after the finish reason', [delta('a'), finish(0), { usage: {} }], 'finish_reason'],
      ['after one of two finish reasons', [finish(0), finish(1, null)], 'eof'],
      ['after both', [finish(1, null), finish(0), finish(1)], 'finish_reason'],
      ['after that of the only choice, which is not 0', [finish(1)], 'finish_reason'],
      ['with [DONE]', [delta('a'), '[DONE]'], 'done'],
      ['with both', [finish(0), '[DONE]'], 'done'],
    ])('%s', (_, messages, expected) => {
      expect(ends(...messages)).toBe(expected);
    });
  });

  describe('counts own properties only', () => {
    /** With an application's, or an attacker's, additions to every object. */
    function withPollution<T>(properties: object, run: () => T): T {
      const names = Object.keys(properties);
      for (const name of names) {
        Object.defineProperty(Object.prototype, name, {
          value: Reflect.get(properties, name),
          configurable: true,
          enumerable: true,
          writable: true,
        });
      }
      try {
        return run();
      } finally {
        for (const name of names) Reflect.deleteProperty(Object.prototype, name);
      }
    }

    it.each<[string, object, string]>([
      ['choices', { choices: [{ delta: { content: 'x' } }] }, '{}'],
      ['a delta', { delta: { content: 'x' }, finish_reason: 'x' }, '{"choices":[{}]}'],
      ['content', { content: 'x' }, '{"choices":[{"delta":{}}]}'],
      ['an id, a model and usage', { id: 'x', model: 'x', usage: { total_tokens: 9 } }, '{"choices":[]}'],
      ['an error', { error: { message: 'x' } }, '{"choices":[]}'],
      ['an error, where there are no choices', { error: 'x', detail: 'x', object: 'error' }, '{}'],
    ])('so that %s on Object.prototype is not taken for an answer', (_, properties, data) => {
      const { events, error } = withPollution(properties, () => decode([{ data }]));
      expect(error).toBeUndefined();
      expect(events).toStrictEqual([completed()]);
    });

    it('so that usage figures on Object.prototype are not taken for an answer', () => {
      const { events } = withPollution({ prompt_tokens: 9, total_tokens: 9, reasoning_tokens: 9 }, () =>
        decode([{ data: '{"usage":{"prompt_tokens_details":{},"completion_tokens_details":{}}}' }]),
      );
      expect(events).toEqual([
        completed({
          usage: {
            inputTokens: 0,
            cachedInputTokens: 0,
            outputTokens: 0,
            reasoningOutputTokens: 0,
            totalTokens: 0,
          },
        }),
      ]);
    });

    it('so that a __proto__ key of the wire is no prototype', () => {
      expect(
        decode([
          '{"__proto__":{"choices":[{"delta":{"content":"x"}}],"id":"x","error":"x"}}',
          '{"choices":[{"__proto__":{"delta":{"content":"x"}}},{"delta":{"__proto__":{"content":"x"}}}]}',
          '{"choices":[{"delta":{"__proto__":{"content":"x"},"constructor":{"prototype":{"polluted":1}}}}]}',
        ]),
      ).toEqual({
        events: [completed({ choices: [{ choice: 1, finishReason: null }] })],
        error: undefined,
      });
      expect('polluted' in {}).toBe(false);
    });

    it('so that keys which every object inherits are harmless', () => {
      expect(
        decode([{ constructor: 'x', toString: 'x', hasOwnProperty: 'x', ...delta('a') }]).events,
      ).toEqual([text('a'), completed()]);
    });
  });
});

describe('chunkDecoder(), of what providers write otherwise', () => {
  const choicesOf = (index: unknown) =>
    decode([{ choices: [{ index, delta: { content: 'a' } }] }])
      .events.filter(({ type }) => type === 'output_item_done')
      .map((event) => (event as { choice?: number }).choice);

  it.each<[unknown, number | undefined]>([
    ['12', 12],
    ['1x', undefined],
    ['x1', undefined],
    [' 1', undefined],
    ['1.0', undefined],
    ['1 ', undefined],
    [[1], undefined],
    [['1'], undefined],
  ])('reads a choice numbered %j as %p', (index, choice) => {
    expect(choicesOf(index)).toEqual([choice]);
  });

  it.each(['', ' ', null, false, []])('takes a choice numbered %j by its place in the list', (index) => {
    const choices = ['a', 'b'].map((content) => ({ index, delta: { content } }));
    expect(decode([{ choices }]).events.slice(0, -1)).toEqual([text('a'), { ...text('b'), choice: 1 }]);
  });

  it.each([
    ['a chunk', JSON.stringify(delta('a')), 1],
    ['a list of chunks', JSON.stringify([delta('a')]), 1],
    // Itself, then with its control characters escaped.
    ['a chunk with a raw line feed in its text', JSON.stringify(delta('a_b')).replace('_', '\n'), 2],
    ['what is no JSON', '{"choices":', 1],
    ['the end mark', '[DONE]', 0],
    ['text', 'overloaded', 0],
  ])('parses %s no oftener than it must', (_, data, calls) => {
    const decoder = chunkDecoder(() => {});
    expect(parsedBy(() => decoder.push({ data })).calls).toBe(calls);
  });

  it('does not parse what was parsed before', () => {
    const events: ResponseEvent[] = [];
    const decoder = chunkDecoder((event) => events.push(event));
    const chunk = delta('a');
    expect(parsedBy(() => decoder.push({ data: JSON.stringify(chunk), json: chunk })).calls).toBe(0);
    expect(events).toEqual([text('a')]);
  });

  it('reads no text after the end mark', () => {
    const events: ResponseEvent[] = [];
    const decoder = chunkDecoder((event) => events.push(event));
    decoder.push({ data: '[DONE]' });
    decoder.pushText('a', 'content', []);
    decoder.end();
    expect(events).toEqual([completed({ endedBy: 'done' })]);
  });

  it('takes the latest usage, also where nothing came of it', () => {
    const usage = (prompt_tokens: number) => ({
      choices: [],
      usage: { prompt_tokens, completion_tokens: 0, total_tokens: prompt_tokens },
    });
    expect(decode([usage(5), usage(7)]).events).toMatchObject([
      { usage: { inputTokens: 7, totalTokens: 7 } },
    ]);
  });

  it('takes no empty text for the end of cumulative ones', () => {
    const { events } = decode([delta('a'), delta(''), delta('ab')], { deltas: 'cumulative' });
    expect(events.slice(0, -1)).toEqual([text('a'), text('b')]);
  });

  it('says calls once that a message repeats', () => {
    const call = { index: 0, id: 'call', function: { name: 'f', arguments: '{}' } };
    const once = decode([{ choices: [{ delta: { tool_calls: [call] } }] }]).events;
    expect(
      decode([
        { choices: [{ delta: { tool_calls: [call] } }] },
        { choices: [{ message: { role: 'assistant', tool_calls: [call] } }] },
      ]).events,
    ).toEqual(once);
  });
});
