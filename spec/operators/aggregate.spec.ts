import { map, of, range, take, toArray } from 'rxjs';
import { TransportError } from '../../src/turn/errors.js';
import type { ContentPart, OutputItemDoneEvent, ResponseEvent } from '../../src/turn/events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ responseId: 'r1', finishReason: 'stop' }),
  d: completed({ responseId: 'r2' }),
  s: completed({ stopped: true }),
  m: text('Hello'),
  n: text('lo'),
  r: restartingEvent(),
};

describe('aggregate', () => {
  it('is silent while the model writes, then gives the whole message and the completed that ended it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(aggregate())).toBe('  -----(mc|)', values);
      expectSubscriptions(source.subscriptions).toBe('  ^----!');
    });
  });

  it('starts afresh after each completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-b-c---b-(d|)', values);
      expectObservable(source.pipe(aggregate())).toBe('-----(mc)--(nd|)', values);
    });
  });

  it('starts afresh at restarting, which it does not pass', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-r-b-(d|)', values);
      expectObservable(source.pipe(aggregate())).toBe('  -------(nd|)', values);
      expectSubscriptions(source.subscriptions).toBe('  ^------!');
    });
  });

  it('gives what there is of a stopped turn, then starts afresh', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-b-s---b-(d|)', values);
      expectObservable(source.pipe(aggregate())).toBe('-----(ms)--(nd|)', values);
    });
  });

  it('gives completed at once, while the source stays open', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-b-c', values).pipe(aggregate())).toBe('-----(mc)', values);
    });
  });

  it('gives only completed for a turn without text', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-c-(d|)', values).pipe(aggregate())).toBe('-c-(d|)', values);
    });
  });

  it('gives nothing for a source that ends without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-b|', values).pipe(aggregate())).toBe('----|');
      expectObservable(cold<ResponseEvent>('-a-c-b---|', values).pipe(aggregate())).toBe('---(xc)--|', {
        x: values.a,
        c: values.c,
      });
    });
  });

  it('passes an error on at once and drops the text before it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, 'broken');
      expectObservable(source.pipe(aggregate())).toBe('  ---#', undefined, 'broken');
      expectSubscriptions(source.subscriptions).toBe('  ^--!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-c', values);
      expectObservable(source.pipe(aggregate()), '^---!').toBe('-----');
      expectSubscriptions(source.subscriptions).toBe('   ^---!');
    });
  });

  it('gives a consumer that takes the message alone no completed', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(aggregate(), take(1))).toBe('-----(m|)', values);
      expectSubscriptions(source.subscriptions).toBe('  ^----!');
    });
  });

  it('joins the first text part of each assistant item, in order', () => {
    const source = of<ResponseEvent[]>(
      {
        type: 'output_item_done',
        item: {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'one ' },
            { type: 'output_text', text: 'never' },
          ],
        },
      },
      { type: 'output_item_done', item: { type: 'message', role: 'assistant', content: [] } },
      {
        type: 'output_item_done',
        item: {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'input_text', text: 'never' },
            { type: 'output_text', text: 'two' },
          ],
        },
      },
      completed(),
    );
    expect(received(source.pipe(aggregate(), toArray()))).toEqual([[text('one two'), completed()]]);
  });

  it('ignores the items of the user and the retries', () => {
    const source = of<ResponseEvent[]>(
      { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() },
      { type: 'output_item_done', item: userMessage('asked') },
      text('said'),
      completed(),
    );
    expect(received(source.pipe(aggregate(), toArray()))).toEqual([[text('said'), completed()]]);
  });

  it('passes the very completed event on', () => {
    const end = completed();
    expect(received(of<ResponseEvent[]>(text('a'), end).pipe(aggregate()))[1]).toBe(end);
  });

  it('folds each subscription by itself', () => {
    const turn = of<ResponseEvent[]>(text('once'), completed()).pipe(aggregate());
    expect(received(turn)).toEqual([text('once'), completed()]);
    expect(received(turn)).toEqual([text('once'), completed()]);
  });

  it('stops an endless synchronous source', () => {
    const turns = range(0, Infinity).pipe(map(() => completed()));
    expect(received(turns.pipe(aggregate(), take(2)))).toEqual([completed(), completed()]);
  });

  describe('gives a turn of many kinds', () => {
    const reasoning = (said: string, details?: readonly unknown[]): OutputItemDoneEvent => ({
      type: 'output_item_done',
      item: {
        type: 'reasoning',
        content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
        ...(details && { reasoning_details: details }),
      },
    });
    const message = (...content: readonly ContentPart[]): OutputItemDoneEvent => ({
      type: 'output_item_done',
      item: { type: 'message', role: 'assistant', content },
    });
    const call = (call_id: string, text: string): OutputItemDoneEvent => ({
      type: 'output_item_done',
      item: { type: 'function_call', call_id, name: 'f', arguments: text },
    });
    const custom: OutputItemDoneEvent = {
      type: 'output_item_done',
      item: { type: 'custom_tool_call', call_id: 'c', name: 'sh', input: 'ls' },
    };
    const progress = (callId: string, delta: string): ResponseEvent => ({
      type: 'function_call_arguments_delta',
      callId,
      name: 'f',
      index: 0,
      delta,
    });
    const ofChoice = (event: OutputItemDoneEvent, choice: number): OutputItemDoneEvent => ({
      ...event,
      choice,
    });
    const whole = (...events: readonly ResponseEvent[]) =>
      received(of(...events, completed()).pipe(aggregate()));

    it('as reasoning, the message, each call, completed, in whatever order they came', () => {
      expect(
        whole(
          call('a', '{}'),
          text('Hel'),
          reasoning('H'),
          custom,
          text('lo'),
          reasoning('m'),
          call('b', '[]'),
        ),
      ).toStrictEqual([
        reasoning('Hm'),
        text('Hello'),
        call('a', '{}'),
        custom,
        call('b', '[]'),
        completed(),
      ]);
    });

    it('with text and refusal as parts of one message', () => {
      expect(
        whole(
          message({ type: 'refusal', refusal: 'I ' }),
          text('Well. '),
          message({ type: 'refusal', refusal: 'must not.' }),
        ),
      ).toStrictEqual([
        message({ type: 'output_text', text: 'Well. ' }, { type: 'refusal', refusal: 'I must not.' }),
        completed(),
      ]);
    });

    it('with a refusal alone', () => {
      const refusal = message({ type: 'refusal', refusal: 'No.' });
      expect(whole(refusal)).toStrictEqual([refusal, completed()]);
    });

    it("with the provider's account of the reasoning, put together", () => {
      const detail = (said: string) => ({ type: 'reasoning.text', text: said, index: 0 });
      expect(whole(reasoning('H', [detail('H')]), reasoning('m', [detail('m')]))).toStrictEqual([
        reasoning('Hm', [detail('Hm')]),
        completed(),
      ]);
    });

    it("with the provider's account of the reasoning where it says nothing in words", () => {
      const encrypted = reasoning('', [{ type: 'reasoning.encrypted', data: 'x' }]);
      expect(whole(encrypted)).toStrictEqual([encrypted, completed()]);
    });

    it('without the progress of its calls, and without a call that was never given whole', () => {
      expect(
        whole(progress('a', '{'), progress('a', '}'), call('a', '{}'), progress('b', '{')),
      ).toStrictEqual([call('a', '{}'), completed()]);
    });

    it('with a call that was given twice as it was last', () => {
      expect(whole(call('a', '{'), call('b', '[]'), progress('a', '}'), call('a', '{}'))).toStrictEqual([
        call('a', '{}'),
        call('b', '[]'),
        completed(),
      ]);
    });

    it('choice by choice, each item marked with its choice, choice 0 first', () => {
      expect(
        whole(
          ofChoice(text('c'), 2),
          ofChoice(call('x', '{}'), 1),
          text('a'),
          ofChoice(reasoning('b'), 1),
          ofChoice(text('c'), 2),
          text('a'),
          ofChoice(text('b'), 1),
        ),
      ).toStrictEqual([
        text('aa'),
        ofChoice(reasoning('b'), 1),
        ofChoice(text('b'), 1),
        ofChoice(call('x', '{}'), 1),
        ofChoice(text('cc'), 2),
        completed(),
      ]);
    });

    it('without chunk events', () => {
      expect(whole({ type: 'chunk', chunk: { x: 1 } }, text('a'))).toStrictEqual([text('a'), completed()]);
    });

    it('with nothing of the turn before', () => {
      const turns = of<ResponseEvent[]>(
        reasoning('a'),
        call('a', '{}'),
        ofChoice(text('a'), 1),
        completed(),
        text('b'),
        completed(),
      );
      expect(received(turns.pipe(aggregate())).slice(4)).toStrictEqual([text('b'), completed()]);
    });
  });
});
