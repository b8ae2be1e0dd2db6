import fc from 'fast-check';
import { from, last, of } from 'rxjs';
import {
  accumulate,
  aggregate,
  ChatCompletionsError,
  type ResponseEvent,
  splitThinking,
  streamChatCompletions,
} from '../../src/index.js';
import { chatMessages } from '../../src/prompt/messages.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { describeCorpus, type Folder } from '../support/corpus.js';

const provider = { name: 'p', baseUrl: 'http://provider.invalid/v1', maxRetries: 0 };

function play(messages: readonly string[], includeChunks = false) {
  const body = messages.map((data) => `data: ${data}\n\n`);
  return record(
    streamChatCompletions('Hi', {
      model: 'm',
      provider,
      includeChunks,
      transport: scriptedTransport({ body: [...body, 'data: [DONE]\n\n'] }),
    }),
  );
}

/** Every property of the prototypes that all objects share. */
const inherited = () =>
  [Object.prototype, Array.prototype, String.prototype].flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype),
  );

const inheritedBefore = inherited();

/** Expects one terminal, at the end, and that whatever folds a turn can take what came. */
function expectOneEnd(messages: readonly string[], includeChunks = false): readonly ResponseEvent[] {
  const { events, error, ended } = play(messages, includeChunks);
  expect(ended).toBe(1);
  const place = events.findIndex(({ type }) => type === 'completed');
  if (error === undefined) expect(place).toBe(events.length - 1);
  else {
    expect(error).toBeInstanceOf(ChatCompletionsError);
    expect(place).toBe(-1);
  }
  const folded = record(from(events).pipe(splitThinking(), aggregate()));
  expect(folded).toMatchObject({ error: undefined, ended: 1 });
  expect(record(from(events).pipe(accumulate(), last()))).toMatchObject({ error: undefined, ended: 1 });
  const items = folded.events.flatMap((event) => (event.type === 'output_item_done' ? [event.item] : []));
  for (const sendReasoning of [undefined, 'reasoning', 'reasoning_details'] as const)
    chatMessages(items, { sendReasoning });
  expect(inherited()).toEqual(inheritedBefore);
  return events;
}

type Json = Record<string, unknown>;

const ofDelta = (delta: object, finish_reason: string | null = null): Json => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason, logprobs: null }],
});

const call = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"q":' } };

/** A chunk of every shape that the decoder reads. */
const handMade: Readonly<Record<string, Json>> = {
  'a role': ofDelta({ role: 'assistant', content: '' }),
  text: ofDelta({ content: 'Hel' }),
  'a tag in text': ofDelta({ content: '<think>Hm</think>' }),
  'content in parts': ofDelta({
    content: [
      { type: 'text', text: 'a' },
      { type: 'thinking', thinking: [{ type: 'text', text: 'b' }] },
    ],
  }),
  'a refusal': ofDelta({ refusal: 'No.' }),
  reasoning: ofDelta({ reasoning_content: 'Hm' }),
  'reasoning under another name': ofDelta({
    reasoning: { text: 'Hm' },
    reasoning_details: [{ type: 'reasoning.text', text: 'Hm', index: 0 }],
  }),
  'a signature': ofDelta({ reasoning_details: [{ type: 'reasoning.text', signature: 's', index: 0 }] }),
  'two calls': ofDelta({ tool_calls: [call, { ...call, index: 1, id: 'b' }] }),
  'a fragment of a call': ofDelta({ tool_calls: [{ index: 0, function: { arguments: '"sky"}' } }] }),
  'a custom call': ofDelta({
    tool_calls: [{ index: 2, id: 'd', type: 'custom', custom: { name: 'sh', input: 'ls' } }],
  }),
  'a function_call': ofDelta({ function_call: { name: 'f', arguments: '{}' } }),
  'a finish reason': ofDelta({}, 'tool_calls'),
  'a finish reason that is an error': ofDelta({ content: 'a' }, 'error'),
  'two choices': {
    choices: [
      { index: 0, delta: { content: 'a' } },
      { index: 1, delta: { content: 'b', tool_calls: [call] }, finish_reason: 'stop' },
    ],
  },
  usage: {
    choices: [],
    usage: {
      prompt_tokens: 3,
      completion_tokens: 2,
      total_tokens: 5,
      prompt_tokens_details: { cached_tokens: 1 },
      completion_tokens_details: { reasoning_tokens: 1 },
    },
  },
  'an error': { error: { message: 'Broken', type: 'server_error', code: 502 } },
  'an error without a name': { object: 'error', message: 'no', code: 400 },
  'a detail': { detail: 'Not Found' },
};

/** JSON that `JSON.stringify` does not write, by the text that stands for it. */
const written: Readonly<Record<string, string>> = {
  '@nested list': `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  '@nested object': `${'{"content":'.repeat(20_000)}"x"${'}'.repeat(20_000)}`,
  '@infinite': '1e999',
  '@minus infinite': '-1e999',
  '@minus zero': '-0',
  '@tiny': '1e-999',
  '@NaN': 'NaN',
  '@huge': '123456789012345678901234567890',
};

const toText = (chunk: unknown): string =>
  (JSON.stringify(chunk) ?? '').replace(/"(@[^"]+)"/g, (whole, name: string) => written[name] ?? whole);

const wildValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e300, 127, 128, 129),
  fc.constantFrom<unknown>(
    '',
    '0',
    'NaN',
    '\ud83d',
    '\udc00x',
    '__proto__',
    '</think>',
    '<think>',
    'error',
    'stop',
  ),
  fc.constantFrom<unknown>([], {}, [[]], [null], { text: {} }, { content: [] }, { index: -1 }),
  fc.constantFrom<unknown>(...Object.keys(written)),
  fc.jsonValue({ maxDepth: 3, noUnicodeString: false }),
);

const wildKey = fc.constantFrom(
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then', 'toJSON'],
  ...['error', 'choices', 'delta', 'index', 'content', 'usage', 'tool_calls', 'function_call', 'reasoning'],
  ...['reasoning_details', 'refusal', 'id', 'name', 'arguments', 'custom', 'type', 'finish_reason', 'text'],
);

interface Mutation {
  readonly kind: 'remove' | 'replace' | 'add' | 'repeat' | 'swap';
  readonly place: number;
  readonly key: string;
  readonly value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('remove', 'replace', 'replace', 'add', 'add', 'repeat', 'swap'),
  place: fc.nat(),
  key: wildKey,
  value: wildValue,
});

const isContainer = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** Every place in a value: the containers that it holds, each with each of its keys. */
function placesIn(value: unknown): (readonly [Json, string])[] {
  if (!isContainer(value)) return [];
  return Object.keys(value).flatMap((key) => [[value, key] as const, ...placesIn(value[key])]);
}

const set = (target: Json, key: string, value: unknown) =>
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });

/** A copy of a chunk with one thing wrong with it. */
function mutate(chunk: unknown, { kind, place, key, value }: Mutation): unknown {
  const copy: unknown = structuredClone(chunk);
  const places = placesIn(copy);
  const [target, name] = places[place % Math.max(places.length, 1)] ?? [];
  if (target === undefined || name === undefined) return value;
  const before = target[name];
  switch (kind) {
    case 'remove':
      if (Array.isArray(target)) target.splice(Number(name), 1);
      else Reflect.deleteProperty(target, name);
      break;
    case 'replace':
      set(target, name, value);
      break;
    case 'add':
      set(
        isContainer(before) && !Array.isArray(before) ? before : target,
        Array.isArray(target) ? name : key,
        value,
      );
      break;
    case 'repeat':
      if (Array.isArray(before)) before.push(...structuredClone(before as unknown[]));
      else set(target, name, [before, structuredClone(before)]);
      break;
    case 'swap': {
      const [other, otherName] = places[(place + 7) % places.length] ?? [target, name];
      set(target, name, isContainer(other[otherName]) ? value : other[otherName]);
    }
  }
  return copy;
}

/** What a stream of mutated chunks says: each message drawn from the chunks, with up to three mutations. */
const streamOf = (chunks: readonly unknown[]): fc.Arbitrary<readonly string[]> =>
  fc.array(
    fc
      .tuple(fc.constantFrom(...chunks), fc.array(mutation, { maxLength: 3 }))
      .map(([chunk, mutations]) => toText(mutations.reduce(mutate, chunk))),
    { minLength: 1, maxLength: 6 },
  );

const expectOneEndFor = (chunks: readonly unknown[], numRuns: number) =>
  fc.assert(
    fc.property(streamOf(chunks), fc.boolean(), (messages, includeChunks) => {
      expectOneEnd(messages, includeChunks);
    }),
    { numRuns },
  );

/** The chunks of recorded answers: one of each shape, since thousands have the same. */
function shapesOf(bodies: Iterable<string>): readonly unknown[] {
  const shapes = new Map<string, unknown>();
  for (const body of bodies) {
    for (const line of body.split('\n')) {
      if (!line.startsWith('data: {')) continue;
      let chunk: unknown;
      try {
        chunk = JSON.parse(line.slice('data: '.length));
      } catch {
        continue;
      }
      const shape = placesIn(chunk)
        .map(([target, key]) => `${Array.isArray(target) ? '' : key}:${typeof target[key]}`)
        .join();
      // Long lists of log probabilities and the like would make every mutation miss the rest.
      if (shape.length < 4000 && !shapes.has(shape)) shapes.set(shape, chunk);
    }
  }
  return [...shapes.values()];
}

describe('A turn ends once, with a ChatCompletionsError or completed, and pollutes nothing, for', () => {
  it('chunks of every shape, mutated', () => {
    expectOneEndFor(Object.values(handMade), 400);
  });

  it.each(Object.entries(handMade))('a chunk of %s with any one thing wrong', (_, chunk) => {
    const places = placesIn(chunk).length;
    for (let place = 0; place < places; place += 1) {
      for (const value of [
        null,
        7,
        'x',
        [],
        {},
        [[]],
        '@nested list',
        '@nested object',
        '@infinite',
        '@NaN',
      ]) {
        expectOneEnd([toText(mutate(chunk, { kind: 'replace', place, key: '', value }))]);
      }
      for (const key of ['__proto__', 'constructor']) {
        const value = { content: 'x', polluted: 1, prototype: { polluted: 1 } };
        expectOneEnd([toText(mutate(chunk, { kind: 'add', place, key, value }))]);
      }
      expectOneEnd([toText(mutate(chunk, { kind: 'remove', place, key: '', value: undefined }))]);
      expectOneEnd([toText(mutate(chunk, { kind: 'repeat', place, key: '', value: undefined }))]);
    }
  });

  describeCorpus('recorded chunks, mutated,', (corpus) => {
    const folders: readonly Folder[] = ['recordings', 'handwritten', 'derived'];

    it.each(folders)('of %s', (folder) => {
      const bodies = corpus
        .recordings(folder)
        .map(({ name }) => new TextDecoder().decode(corpus.bytes(folder, name)));
      const chunks = shapesOf(bodies);
      expect(chunks.length).toBeGreaterThan(5);
      expectOneEndFor(chunks, 200);
    });
  });
});

describe('A turn reads', () => {
  const text = (said: string): ResponseEvent => ({
    type: 'output_item_done',
    item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] },
  });

  it('halves of surrogate pairs as they are', () => {
    const deltas = ['\ud83d', '\ude00', 'a\ud83d', '\ud83d\ud83d', '\udc00\ud800'];
    const events = expectOneEnd(deltas.map((content) => toText(ofDelta({ content }))));
    expect(events.slice(0, -1)).toEqual(deltas.map(text));
    expect(record(of(...events).pipe(aggregate())).events[0]).toEqual(text(deltas.join('')));
  });

  /** Milliseconds. What grows with the length of a chunk stays far below it; what grows with its square does not. */
  const bound = 20_000;

  it.each<[string, () => string, number]>([
    [
      'no more than 128 of 140,000 choices',
      () => `{"choices":[${list(1.4e5, (n) => `{"index":${n},"delta":{"content":"x"}}`)}]}`,
      128 + 1,
    ],
    [
      'nothing of 140,000 choices beyond these',
      () => `{"choices":[${list(1.4e5, (n) => `{"index":${n + 128},"delta":{"content":"x"}}`)}]}`,
      1,
    ],
    ['nothing of 480,000 empty choices', () => `{"choices":[${list(4.8e5, () => '{}')}]}`, 1],
    [
      '190,000 parts of content',
      () => `{"choices":[{"delta":{"content":[${list(1.9e5, () => '{"type":"text","text":""}')}]}}]}`,
      1,
    ],
    [
      '20,000 details in one chunk',
      () => `{"choices":[{"delta":{"reasoning_details":[${list(20_000, (n) => `{"index":${n}}`)}]}}]}`,
      1 + 1,
    ],
  ])('%s, in bounded time', (_, data, expected) => {
    const message = data();
    const begin = performance.now();
    expect(expectOneEnd([message])).toHaveLength(expected);
    expect(performance.now() - begin).toBeLessThan(bound);
  });

  it('30,000 calls in one chunk, in bounded time', () => {
    const calls = list(30_000, (n) => `{"index":${n},"id":"c${n}","function":{"name":"f","arguments":"{}"}}`);
    const begin = performance.now();
    expectOneEnd([`{"choices":[{"delta":{"tool_calls":[${calls}]}}]}`]);
    expect(performance.now() - begin).toBeLessThan(bound);
  });
});

function list(length: number, entry: (index: number) => string): string {
  return Array.from({ length }, (_, index) => entry(index)).join();
}
