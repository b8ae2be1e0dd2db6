import { map, of, range, take, toArray } from 'rxjs';
import { TransportError } from '../../src/errors.js';
import type { ResponseEvent } from '../../src/events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ responseId: 'r1', finishReason: 'stop' }),
  d: completed({ responseId: 'r2' }),
  m: text('Hello'),
  n: text('lo'),
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
});
