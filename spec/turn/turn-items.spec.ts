import type { ResponseEvent, ResponseItem } from '../../src/turn/events.js';
import { emptyTurn, reduceTurn } from '../../src/turn/turn.js';
import { turnItems } from '../../src/turn/turn-items.js';
import { completed, text } from '../support/events.js';

const item = (value: ResponseItem, choice?: number): ResponseEvent => ({
  type: 'output_item_done',
  item: value,
  ...(choice !== undefined && { choice }),
});
const call: ResponseItem = {
  type: 'function_call',
  call_id: 'a',
  name: 'f',
  arguments: '{}',
  extras: { extra_content: { google: { thought_signature: 'c2ln' } } },
  provider: 'gemini',
};
const fold = (...events: readonly ResponseEvent[]) => events.reduce(reduceTurn, emptyTurn);

describe('turnItems', () => {
  it('is empty for a turn of which nothing has come', () => {
    expect(turnItems(emptyTurn)).toStrictEqual([]);
  });

  it('is the reasoning, the message and each whole call, with what the provider wants back', () => {
    const turn = fold(
      item({ type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Look ' }] }),
      text('One moment.'),
      item({
        type: 'reasoning',
        content: [{ type: 'reasoning_text', text: 'up.' }],
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'ZW5j' }],
        extras: { reasoning_opaque: 'b3BhcXVl' },
        provider: 'gemini',
      }),
      { type: 'function_call_arguments_delta', callId: 'b', name: 'g', index: 1, delta: '{' },
      item(call),
      completed(),
    );
    expect(turnItems(turn)).toStrictEqual([
      {
        type: 'reasoning',
        content: [{ type: 'reasoning_text', text: 'Look up.' }],
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'ZW5j' }],
        extras: { reasoning_opaque: 'b3BhcXVl' },
        provider: 'gemini',
      },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'One moment.' }] },
      call,
    ]);
  });

  it('has a reasoning item for a signature without words', () => {
    const signature: ResponseItem = { type: 'reasoning', content: [], extras: { signature: 'c2ln' } };
    expect(turnItems(fold(item(signature), text('Hi')))[0]).toStrictEqual(signature);
  });

  it('takes a further choice', () => {
    const [choice] = fold(item(call, 1)).choices;
    expect(turnItems(choice!)).toStrictEqual([call]);
  });
});
