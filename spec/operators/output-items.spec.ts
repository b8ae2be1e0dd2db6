import { lastValueFrom, of, take, toArray } from 'rxjs';
import { outputItems } from '../../src/operators/output-items.js';
import { chatMessages } from '../../src/prompt/messages.js';
import { functionCallOutput, userMessage } from '../../src/prompt/prompt.js';
import type { FunctionCallItem, ResponseEvent, ResponseItem } from '../../src/turn/events.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text, thought } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const call: FunctionCallItem = { type: 'function_call', call_id: 'call-1', name: 'weather', arguments: '{}' };
const values: Record<string, ResponseEvent> = {
  t: thought('Hm'),
  a: text('Hel'),
  b: text('lo'),
  f: { type: 'output_item_done', item: call },
  p: { type: 'function_call_arguments_delta', callId: 'call-1', name: 'weather', index: 0, delta: '{' },
  o: { ...text('Hi'), choice: 1 },
  c: completed({ finishReason: 'stop' }),
  S: completed({ stopped: true }),
  r: restartingEvent(),
};
const items: Record<string, ResponseItem> = {
  T: thought('Hm').item,
  A: text('Hel').item,
  M: text('Hello').item,
  B: text('lo').item,
  F: call,
};

describe('outputItems', () => {
  it('is silent while the model writes, then gives the whole message alone', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-(c|)', values);
      expectObservable(source.pipe(outputItems())).toBe('-----(M|)', items);
      expectSubscriptions(source.subscriptions).toBe('   ^----!');
    });
  });

  it('gives the reasoning, the message and each call, in this order', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-t-p-f-a-b-(c|)', values);
      expectObservable(source.pipe(outputItems())).toBe('-----------(TMF|)', items);
    });
  });

  it('gives the items of choice 0 alone', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-a-o-b-(c|)', values);
      expectObservable(source.pipe(outputItems())).toBe('-------(M|)', items);
    });
  });

  it('gives what there is of a stopped turn, then starts afresh', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-p-a-S---b-(c|)', values);
      expectObservable(source.pipe(outputItems())).toBe('-----A-----(B|)', items);
    });
  });

  it('gives nothing for a turn without items, and for a source that ends without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-c-|', values).pipe(outputItems())).toBe('---|');
      expectObservable(cold('-a-|', values).pipe(outputItems())).toBe('---|');
    });
  });

  it('gives nothing of what came before restarting', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-t-p-f-a-o-r-b-(c|)', values);
      expectObservable(source.pipe(outputItems())).toBe('---------------(B|)', items);
      expectSubscriptions(source.subscriptions).toBe('   ^--------------!');
    });
  });

  it('passes an error on at once, and drops what came before it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-#', values, 'broken');
      expectObservable(source.pipe(outputItems())).toBe('---#', undefined, 'broken');
      expectSubscriptions(source.subscriptions).toBe('   ^--!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold('-a-b-c', values);
      expectObservable(left.pipe(outputItems()), '  ^---!').toBe('-----');
      expectSubscriptions(left.subscriptions).toBe('^---!');
      const enough = cold('-t-a-c---', values);
      expectObservable(enough.pipe(outputItems(), take(1))).toBe('-----(T|)', items);
      expectSubscriptions(enough.subscriptions).toBe('           ^----!');
    });
  });

  it('folds each subscription from the start', () => {
    const once = of(text('Hel'), completed()).pipe(outputItems());
    expect(received(once)).toEqual([items['A']]);
    expect(received(once)).toEqual([items['A']]);
  });

  it('gives what can be appended to a conversation', async () => {
    const turn = of<ResponseEvent[]>(
      text('Let me see.'),
      { type: 'output_item_done', item: call },
      completed(),
    );
    const asked = [userMessage('How is the weather?')];
    const given = await lastValueFrom(turn.pipe(outputItems(), toArray()));
    expect(chatMessages([...asked, ...given, functionCallOutput('call-1', 'Sunny.')])).toEqual([
      { role: 'user', content: 'How is the weather?' },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [{ id: 'call-1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call-1', content: 'Sunny.' },
    ]);
  });
});
