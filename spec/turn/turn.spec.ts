import { TransportError } from '../../src/turn/errors.js';
import type {
  CustomToolCallItem,
  FunctionCallItem,
  ResponseEvent,
  ResponseItem,
} from '../../src/turn/events.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { emptyTurn, reduceTurn, type Turn } from '../../src/turn/turn.js';
import { completed, text } from '../support/events.js';

const retrying: ResponseEvent = { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() };
const usage = {
  inputTokens: 3,
  cachedInputTokens: 0,
  outputTokens: 2,
  reasoningOutputTokens: 0,
  totalTokens: 5,
};
const end = completed({ responseId: 'r1', model: 'm', finishReason: 'stop', usage });
const stop = completed({ stopped: true });
const streaming: Turn = { ...emptyTurn, status: 'streaming', text: 'Hel' };
const over: Turn = {
  ...emptyTurn,
  status: 'completed',
  text: 'Hel',
  responseId: 'r1',
  model: 'm',
  finishReason: 'stop',
  usage,
};

describe('reduceTurn', () => {
  it.each<[string, Turn, ResponseEvent, Turn]>([
    ['the first delta begins the stream', emptyTurn, text('Hel'), streaming],
    ['a delta is appended', streaming, text('lo'), { ...streaming, text: 'Hello' }],
    [
      'an item of the user adds no text',
      streaming,
      { type: 'output_item_done', item: userMessage('x') },
      streaming,
    ],
    ['a retry shows before the answer', emptyTurn, retrying, { ...emptyTurn, status: 'retrying' }],
    ['a delta ends the retrying', { ...emptyTurn, status: 'retrying' }, text('Hel'), streaming],
    ['completed tells of the answer', streaming, end, over],
    ['a turn may complete without text', emptyTurn, end, { ...over, text: '' }],
    ['a delta after completed begins a new turn', over, text('Hel'), streaming],
    ['a retry after completed begins a new turn', over, retrying, { ...emptyTurn, status: 'retrying' }],
    [
      'completed after completed is a turn of its own',
      over,
      completed({ responseId: 'r2' }),
      { ...emptyTurn, status: 'completed', responseId: 'r2' },
    ],
    ['a stop keeps what had come', streaming, stop, { ...streaming, status: 'stopped' }],
    ['a stop may come before anything else', emptyTurn, stop, { ...emptyTurn, status: 'stopped' }],
    ['a delta after a stop begins a new turn', { ...over, status: 'stopped' }, text('Hel'), streaming],
    [
      'completed after a stop is a turn of its own',
      { ...streaming, status: 'stopped' },
      end,
      { ...over, text: '' },
    ],
  ])('%s', (_, turn, event, expected) => {
    expect(reduceTurn(Object.freeze({ ...turn }), event)).toEqual(expected);
  });

  it('passes over an event that it does not know', () => {
    const later: unknown = { type: 'of a later version' };
    expect(reduceTurn(streaming, later as ResponseEvent)).toEqual(streaming);
  });

  it('gives a new snapshot and leaves the one before as it was', () => {
    const first = reduceTurn(emptyTurn, text('Hel'));
    const second = reduceTurn(first, text('lo'));
    expect([emptyTurn.text, first.text, second.text]).toEqual(['', 'Hel', 'Hello']);
  });

  it('folds 200,000 deltas into their whole text', () => {
    const deltas = 200_000;
    let turn = emptyTurn;
    for (let count = 0; count < deltas; count += 1) turn = reduceTurn(turn, text('token '));
    expect(turn.status).toBe('streaming');
    expect(turn.text === 'token '.repeat(deltas)).toBe(true);
  });
});

describe('reduceTurn, of an answer of many kinds,', () => {
  const item = (item: ResponseItem, choice?: number): ResponseEvent => ({
    type: 'output_item_done',
    item,
    ...(choice !== undefined && { choice }),
  });
  const reasoning = (said: string, reasoning_details?: readonly unknown[]): ResponseItem => ({
    type: 'reasoning',
    content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
    ...(reasoning_details && { reasoning_details }),
  });
  const refusal = (said: string): ResponseItem => ({
    type: 'message',
    role: 'assistant',
    content: [{ type: 'refusal', refusal: said }],
  });
  const call: FunctionCallItem = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"q":1}' };
  const custom: CustomToolCallItem = { type: 'custom_tool_call', call_id: 'b', name: 'sh', input: 'ls' };
  const progress = (callId: string, delta: string, choice?: number): ResponseEvent => ({
    type: 'function_call_arguments_delta',
    callId,
    name: 'f',
    index: 0,
    delta,
    ...(choice !== undefined && { choice }),
  });
  const fold = (...events: readonly ResponseEvent[]): Turn =>
    events.reduce((turn, event) => reduceTurn(Object.freeze(turn), event), emptyTurn);
  const begun: Turn = { ...emptyTurn, status: 'streaming' };
  const answer = {
    text: '',
    reasoning: '',
    reasoningDetails: [],
    refusal: '',
    toolCalls: [],
    finishReason: null,
  };

  it.each<[string, readonly ResponseEvent[], Turn]>([
    ['appends reasoning', [item(reasoning('H')), item(reasoning('m'))], { ...begun, reasoning: 'Hm' }],
    [
      'puts the account of the reasoning together',
      [
        item(reasoning('H', [{ type: 't', text: 'H' }])),
        item(reasoning('m', [{ type: 't', text: 'm' }])),
        item(reasoning('', [{ type: 'e', data: 'x' }])),
      ],
      {
        ...begun,
        reasoning: 'Hm',
        reasoningDetails: [
          { type: 't', text: 'Hm' },
          { type: 'e', data: 'x' },
        ],
      },
    ],
    [
      'puts what has to go back beside the reasoning together',
      [
        item({ ...reasoning('H'), extras: { blocks: [{ type: 't', text: 'H' }] } } as ResponseItem),
        text('Hi'),
        item({
          ...reasoning('m'),
          extras: { blocks: [{ type: 't', text: 'm' }], opaque: 'x' },
          provider: 'p',
        } as ResponseItem),
        item(reasoning('.')),
        text('!'),
      ],
      {
        ...begun,
        text: 'Hi!',
        reasoning: 'Hm.',
        reasoningExtras: { blocks: [{ type: 't', text: 'Hm' }], opaque: 'x' },
        reasoningProvider: 'p',
      },
    ],
    [
      'keeps a signature of a further choice with that choice',
      [item({ ...reasoning(''), extras: { signature: 's' }, provider: 'p' } as ResponseItem, 1)],
      {
        ...begun,
        choices: [{ ...answer, choice: 1, reasoningExtras: { signature: 's' }, reasoningProvider: 'p' }],
      },
    ],
    ['appends refusals', [item(refusal('N')), item(refusal('o'))], { ...begun, refusal: 'No' }],
    [
      'shows the arguments of a call so far',
      [progress('a', '{"q"'), progress('a', ':1')],
      { ...begun, toolCalls: [{ callId: 'a', name: 'f', arguments: '{"q":1', item: undefined }] },
    ],
    [
      'takes the whole call in the place of its beginning',
      [progress('a', '{'), progress('b', 'l'), item(call)],
      {
        ...begun,
        toolCalls: [
          { callId: 'a', name: 'f', arguments: '{"q":1}', item: call },
          { callId: 'b', name: 'f', arguments: 'l', item: undefined },
        ],
      },
    ],
    [
      'takes a call that came whole at once, and the input of a custom tool',
      [item(call), item(custom)],
      {
        ...begun,
        toolCalls: [
          { callId: 'a', name: 'f', arguments: '{"q":1}', item: call },
          { callId: 'b', name: 'sh', arguments: 'ls', item: custom },
        ],
      },
    ],
    [
      'takes a call that goes on for one that is being written again',
      [item(call), progress('a', '!')],
      { ...begun, toolCalls: [{ callId: 'a', name: 'f', arguments: '{"q":1}!', item: undefined }] },
    ],
    [
      'adds no item that is none of an answer',
      [item({ type: 'function_call_output', call_id: 'a', output: 'x' })],
      begun,
    ],
    [
      'keeps choices apart, in their order',
      [
        { ...text('c'), choice: 2 },
        item(reasoning('b'), 1),
        progress('a', '{', 2),
        { ...text('a'), choice: 0 },
        item(refusal('b'), 1),
      ],
      {
        ...begun,
        text: 'a',
        choices: [
          { ...answer, choice: 1, reasoning: 'b', refusal: 'b' },
          {
            ...answer,
            choice: 2,
            text: 'c',
            toolCalls: [{ callId: 'a', name: 'f', arguments: '{', item: undefined }],
          },
        ],
      },
    ],
    [
      'keeps a call of one choice from one of another with its id',
      [progress('a', '1'), progress('a', '2', 1)],
      {
        ...begun,
        toolCalls: [{ callId: 'a', name: 'f', arguments: '1', item: undefined }],
        choices: [
          {
            ...answer,
            choice: 1,
            toolCalls: [{ callId: 'a', name: 'f', arguments: '2', item: undefined }],
          },
        ],
      },
    ],
    [
      'gives each choice its finish reason at the end',
      [
        { ...text('a'), choice: 1 },
        { ...text('b'), choice: 2 },
        completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'length' }] }),
      ],
      {
        ...emptyTurn,
        status: 'completed',
        finishReason: 'stop',
        choices: [
          { ...answer, choice: 1, text: 'a', finishReason: 'length' },
          { ...answer, choice: 2, text: 'b' },
        ],
      },
    ],
    [
      'shows a choice that ended without a word',
      [completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'content_filter' }] })],
      {
        ...emptyTurn,
        status: 'completed',
        finishReason: 'stop',
        choices: [{ ...answer, choice: 1, finishReason: 'content_filter' }],
      },
    ],
    [
      'drops the choices, the calls and the reasoning of the turn before',
      [item(reasoning('a', [{}])), item(call), { ...text('b'), choice: 1 }, completed(), text('Hel')],
      streaming,
    ],
    ['passes over chunks', [text('Hel'), { type: 'chunk', chunk: { x: 1 } }], streaming],
  ])('%s', (_, events, expected) => {
    expect(fold(...events)).toStrictEqual(expected);
  });

  describe('orders the calls', () => {
    const ids = (...events: readonly ResponseEvent[]) =>
      fold(...events).toolCalls.map(({ callId, item: whole }) => (whole ? callId : `${callId}?`));
    const whole = (call_id: string) => item({ ...call, call_id });

    it.each<[string, readonly ResponseEvent[], readonly string[]]>([
      ['as they began, while they are written', [progress('b', '1'), progress('a', '1')], ['b?', 'a?']],
      [
        'as they were given whole, before those that are being written',
        [progress('b', '1'), progress('c', '1'), progress('a', '1'), whole('a')],
        ['a', 'b?', 'c?'],
      ],
      [
        'as they were given whole',
        [progress('b', '1'), progress('a', '1'), whole('a'), whole('b')],
        ['a', 'b'],
      ],
      [
        'as they were given whole, one of which no delta told too',
        [progress('b', '1'), whole('a'), whole('b')],
        ['a', 'b'],
      ],
      [
        'where one is given again, each in its place',
        [whole('a'), whole('b'), progress('a', '1'), whole('a')],
        ['a', 'b'],
      ],
    ])('%s', (_, events, expected) => {
      expect(ids(...events)).toEqual(expected);
    });
  });

  it('leaves the calls and choices of earlier snapshots as they were', () => {
    const first = fold(progress('a', '1'), progress('a', '1', 1));
    const kept = structuredClone(first);
    reduceTurn(reduceTurn(first, progress('a', '2')), progress('b', '2', 1));
    expect(first).toStrictEqual(kept);
  });
});

describe('emptyTurn', () => {
  it('cannot be changed', () => {
    expect(Object.isFrozen(emptyTurn)).toBe(true);
  });
});
