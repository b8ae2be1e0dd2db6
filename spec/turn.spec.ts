import { TransportError } from '../src/errors.js';
import type { ResponseEvent } from '../src/events.js';
import { userMessage } from '../src/prompt/prompt.js';
import { emptyTurn, reduceTurn, type Turn } from '../src/turn.js';
import { completed, text } from './support/events.js';

const retrying: ResponseEvent = { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() };
const usage = {
  inputTokens: 3,
  cachedInputTokens: 0,
  outputTokens: 2,
  reasoningOutputTokens: 0,
  totalTokens: 5,
};
const end = completed({ responseId: 'r1', model: 'm', finishReason: 'stop', usage });
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

describe('emptyTurn', () => {
  it('cannot be changed', () => {
    expect(Object.isFrozen(emptyTurn)).toBe(true);
  });
});
