import { wholeTurns } from '../../src/operators/whole-turns.js';
import { restartingEvent, toolCallEvents } from '../../src/testing/index.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { runCompleted, toolEvents } from '../support/run-events.js';

const events: Record<string, RunEvent> = {
  a: text('Let '),
  b: text('me'),
  w: text('Let me'),
  v: text('void'),
  r: restartingEvent(),
  c: completed({ finishReason: 'tool_calls' }),
  s: toolEvents.started,
  p: toolEvents.progress,
  f: toolEvents.finished,
  R: runCompleted,
};

describe('wholeTurns', () => {
  it('gives the whole items of each turn where it completes, and what stands between turns at once', () => {
    const [delta, item] = toolCallEvents({ name: 'weather', arguments: '{}' }) as [RunEvent, RunEvent];
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-(dics)-p-f-a-(cR|)', { ...events, d: delta, i: item });
      expectObservable(source.pipe(wholeTurns())).toBe('-----(wics)-p-f---(acR|)', { ...events, i: item });
      expectSubscriptions(source.subscriptions).toBe('^-----------------!');
    });
  });

  it('takes back the turn that restarts, and no other', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-v-r-a---(cs)-f-v-r-a---(cR|)', events);
      expectObservable(source.pipe(wholeTurns())).toBe('---------(acs)f---------(acR|)', events);
      expectSubscriptions(source.subscriptions).toBe('^-----------------------!');
    });
  });

  it('errors at once, and unsubscribes with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const broken = cold<RunEvent>('-a-#', events);
      expectObservable(broken.pipe(wholeTurns())).toBe('---#');
      const source = cold<RunEvent>('-a-b-c', events);
      expectObservable(source.pipe(wholeTurns()), '^---!').toBe('-----');
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });
});
