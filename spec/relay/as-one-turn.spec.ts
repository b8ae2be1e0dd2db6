import { concat, from, NEVER, of, range, map, take } from 'rxjs';
import { asOneTurn } from '../../src/relay/as-one-turn.js';
import { completedEvent, reasoningEvent, restartingEvent, textEvent } from '../../src/testing/index.js';
import type { ResponseItem } from '../../src/turn/events.js';
import type { RunCompletedEvent, RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { inputAdded, runCompleted, toolEvents, weatherCall, wholeRun } from '../support/run-events.js';

const { requested, started, progress, finished } = toolEvents;
const { usage } = runCompleted;
const called: RunEvent = { type: 'output_item_done', item: weatherCall };
const asked = completed({ finishReason: 'tool_calls', model: 'm' });
const answered = completed({ finishReason: 'stop', responseId: 'r' });

const values = {
  a: text('Let me see.'),
  b: text('It rains.'),
  f: called,
  c: asked,
  q: requested,
  x: started,
  y: progress,
  z: finished,
  i: inputAdded,
  d: answered,
  R: runCompleted,
  r: restartingEvent(),
  S: completed({ stopped: true }),
  D: { ...answered, usage },
};

const oneTurn = (...events: readonly RunEvent[]) => received(from(events).pipe(asOneTurn()));
const ending = (fields: Partial<RunCompletedEvent>): RunCompletedEvent => ({ ...runCompleted, ...fields });

describe('asOneTurn', () => {
  it('gives the text of all turns as it comes, no call that was executed, and one end with the usage of the run', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                     -a-f-(cqx)-y-z-i-b-(dR|)', values);
      expectObservable(source.pipe(asOneTurn())).toBe('-a---------------b-(D|)', values);
      expectSubscriptions(source.subscriptions).toBe(' ^------------------!');
    });
  });

  it('goes on at the restarting of a turn of which nothing was given, and passes any other', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-r-f-r-a-f-c-z-f-r-b-(dR|)', values);
      expectObservable(source.pipe(asOneTurn())).toBe('-------a-----------b-(D|)', values);
      const broken = cold('-a-c-z-b-r-b-(dR|)', values);
      expectObservable(broken.pipe(asOneTurn())).toBe('-a-----b-r-b-(D|)', values);
    });
  });

  it('is anew with each run', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-a-d-R-r-f-c-z-b-d-R', values);
      expectObservable(source.pipe(asOneTurn())).toBe('-a---D---------b---D', values);
    });
  });

  it('ends where the run was stopped', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const whileATool = cold('-a-f-(cx)-S|', values);
      expectObservable(whileATool.pipe(asOneTurn())).toBe('-a---------(S|)', values);
      const inATurn = cold('-a-f-(cx)-z-b-(SR|)', {
        ...values,
        R: ending({ reason: 'stopped', usage: null }),
      });
      expectObservable(inATurn.pipe(asOneTurn())).toBe('-a----------b-(S|)', values);
      const cut = cold('-a-f-(cx)-z-b-|', values);
      expectObservable(cut.pipe(asOneTurn())).toBe('-a----------b-|', values);
    });
  });

  it.each<[string, RunCompletedEvent['reason'], RunEvent, string | null]>([
    ['stop', 'answered', answered, 'stop'],
    ['length', 'answered', completed({ finishReason: 'length' }), 'length'],
    ['stop where beforeTurn has stopped it', 'stopped', asked, 'stop'],
    ['length where it reached maxTurns', 'max_turns', asked, 'length'],
    ['none where a turn had none', 'answered', completed({ endedBy: 'eof' }), null],
    [
      'stop where another word for calls was said',
      'stopped',
      completed({ finishReason: 'TOOL_USE' }),
      'stop',
    ],
  ])('ends with the finish reason %s', (_, reason, end, finishReason) => {
    expect(oneTurn(called, end, finished, ending({ reason }))).toEqual([{ ...end, finishReason, usage }]);
  });

  it('gives the calls that are left pending, whole, at the end', () => {
    const ownCall: ResponseItem = { ...weatherCall, call_id: 'own', name: 'confirm' };
    const items: ResponseItem[] = [...runCompleted.items, ownCall];
    expect(
      oneTurn(text('Well.'), called, asked, started, finished, ending({ reason: 'pending', items })),
    ).toEqual([
      text('Well.'),
      { type: 'output_item_done', item: ownCall },
      { ...asked, finishReason: 'tool_calls', usage },
    ]);
  });

  it('ends a run that had no turn', () => {
    expect(oneTurn(requested, ending({ reason: 'pending', items: [], usage: null, turns: 0 }))).toEqual([
      { type: 'completed', responseId: '', finishReason: 'stop', usage: null },
    ]);
  });

  it('gives reasoning as it comes, and what the provider wants back of it with the last turn alone', () => {
    const said = { provider: 'p', extras: { opaque: 'x' }, details: [{ type: 'reasoning.text' }] };
    const last = { ...said, extras: { opaque: 'y' } };
    expect(
      oneTurn(
        reasoningEvent('Hm.', said),
        called,
        asked,
        finished,
        reasoningEvent('Well, ', last),
        reasoningEvent('', last),
        reasoningEvent('so.'),
        text('It rains.'),
        answered,
        runCompleted,
      ),
    ).toEqual([
      reasoningEvent('Hm.'),
      reasoningEvent('Well, '),
      reasoningEvent('so.'),
      text('It rains.'),
      { ...reasoningEvent('', last), item: { ...reasoningEvent('', last).item, content: [] } },
      { ...reasoningEvent('', last), item: { ...reasoningEvent('', last).item, content: [] } },
      { ...answered, usage },
    ]);
  });

  it('gives nothing that a provider wants back with calls that were executed', () => {
    const said = { extras: { opaque: 'x' } };
    const events = [reasoningEvent('', said), called, asked, finished, ending({ reason: 'max_turns' })];
    expect(oneTurn(...events).map(({ type }) => type)).toEqual(['completed']);
  });

  it('gives choice 0 alone', () => {
    const others = { choices: [{ choice: 1, finishReason: 'stop' }] };
    expect(
      oneTurn(textEvent('b', { choice: 1 }), textEvent('a'), { ...answered, ...others }, runCompleted),
    ).toEqual([textEvent('a'), { ...answered, usage }]);
  });

  it('gives of a whole run what it says', () => {
    expect(oneTurn(...wholeRun)).toEqual([
      reasoningEvent('They want'),
      reasoningEvent(' the weather.'),
      text('Let me '),
      text('see. '),
      text('It is '),
      text('rainy.'),
      completedEvent({ usage }),
    ]);
  });

  it('passes an error, and unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(cold('-a-c-#', values, 'broken').pipe(asOneTurn())).toBe('-a---#', values, 'broken');
      const source = cold('-a-c', values);
      expectObservable(source.pipe(asOneTurn()), '^---!').toBe('-a---', values);
      expectSubscriptions(source.subscriptions).toBe('          ^---!');
    });
  });

  it('stops an endless synchronous source, and holds nothing of a subscription before', () => {
    const endless = range(0, Infinity).pipe(map(() => values.a));
    expect(received(endless.pipe(asOneTurn(), take(2)))).toEqual([values.a, values.a]);
    const run = concat(of<RunEvent[]>(values.a, values.c), NEVER).pipe(asOneTurn());
    expect([received(run), received(run)]).toEqual([[values.a], [values.a]]);
  });
});
