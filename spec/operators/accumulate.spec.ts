import { from, map, of, range, take } from 'rxjs';
import type { FunctionCallItem, ResponseEvent } from '../../src/turn/events.js';
import { accumulate } from '../../src/operators/accumulate.js';
import { emptyTurn, type Turn } from '../../src/turn/turn.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ responseId: 'r1', model: 'm', finishReason: 'stop' }),
};

const turns: Record<string, Turn> = {
  e: emptyTurn,
  H: { ...emptyTurn, status: 'streaming', text: 'Hel' },
  L: { ...emptyTurn, status: 'streaming', text: 'Hello' },
  C: {
    ...emptyTurn,
    status: 'completed',
    text: 'Hello',
    responseId: 'r1',
    model: 'm',
    finishReason: 'stop',
  },
  B: { ...emptyTurn, status: 'streaming', text: 'lo' },
};

describe('accumulate', () => {
  it('gives an empty turn at once and a snapshot for each event', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(accumulate())).toBe('eH-L-(C|)', turns);
      expectSubscriptions(source.subscriptions).toBe('  ^----!');
    });
  });

  it('begins a new turn with the event after completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-b-c-b-|', values).pipe(accumulate())).toBe(
        'eH-L-C-B-|',
        turns,
      );
    });
  });

  it('passes an error on at once, after the snapshots before it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, 'broken');
      expectObservable(source.pipe(accumulate())).toBe('eH-#', turns, 'broken');
      expectSubscriptions(source.subscriptions).toBe('  ^--!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(accumulate()), '^-!').toBe('eH-', turns);
      expectSubscriptions(source.subscriptions).toBe('        ^-!');
    });
  });

  it('never subscribes where the empty turn was enough', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(accumulate(), take(1))).toBe('(e|)', turns);
      expectSubscriptions(source.subscriptions).toBe([]);
    });
  });

  it('leaves the text of earlier snapshots as it was', () => {
    const words = ['Why ', 'is ', 'the ', 'sky ', 'blue?'];
    const snapshots = received(from(words).pipe(map(text), accumulate()));
    expect(snapshots.map(({ text }) => text)).toEqual([
      '',
      'Why ',
      'Why is ',
      'Why is the ',
      'Why is the sky ',
      'Why is the sky blue?',
    ]);
  });

  it('folds each subscription from the start', () => {
    const snapshots = of<ResponseEvent[]>(text('Hel')).pipe(accumulate());
    expect(received(snapshots)).toEqual([turns['e'], turns['H']]);
    expect(received(snapshots)).toEqual([turns['e'], turns['H']]);
  });

  it('stops an endless synchronous source', () => {
    const deltas = range(0, Infinity).pipe(map(() => text('x')));
    expect(received(deltas.pipe(accumulate(), take(3))).map(({ text }) => text)).toEqual(['', 'x', 'xx']);
  });

  it('shows a call grow, then whole', () => {
    const progress = (delta: string): ResponseEvent => ({
      type: 'function_call_arguments_delta',
      callId: 'a',
      name: 'f',
      index: 0,
      delta,
    });
    const item: FunctionCallItem = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
    const source = of<ResponseEvent[]>(progress('{'), progress('}'), { type: 'output_item_done', item });
    expect(received(source.pipe(accumulate())).map(({ toolCalls }) => toolCalls)).toStrictEqual([
      [],
      [{ callId: 'a', name: 'f', arguments: '{', item: undefined }],
      [{ callId: 'a', name: 'f', arguments: '{}', item: undefined }],
      [{ callId: 'a', name: 'f', arguments: '{}', item }],
    ]);
  });

  it('keeps choices apart', () => {
    const source = of<ResponseEvent[]>(
      text('a'),
      { ...text('b'), choice: 1 },
      { ...text('B'), choice: 1 },
      text('A'),
      completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'length' }] }),
    );
    const snapshots = received(source.pipe(accumulate()));
    expect(
      snapshots.map((turn) => [
        turn.text,
        turn.finishReason,
        ...turn.choices.map((choice) => [choice.choice, choice.text, choice.finishReason]),
      ]),
    ).toEqual([
      ['', null],
      ['a', null],
      ['a', null, [1, 'b', null]],
      ['a', null, [1, 'bB', null]],
      ['aA', null, [1, 'bB', null]],
      ['aA', 'stop', [1, 'bB', 'length']],
    ]);
  });

  it('shows reasoning before the text begins', () => {
    const source = of<ResponseEvent[]>(
      {
        type: 'output_item_done',
        item: { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm' }] },
      },
      text('4'),
    );
    expect(received(source.pipe(accumulate()))).toStrictEqual([
      emptyTurn,
      { ...emptyTurn, status: 'streaming', reasoning: 'Hm' },
      { ...emptyTurn, status: 'streaming', reasoning: 'Hm', text: '4' },
    ]);
  });
});
