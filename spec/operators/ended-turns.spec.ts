import { map } from 'rxjs';
import { endedTurns } from '../../src/operators/ended-turns.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ responseId: 'r1' }),
  d: completed({ responseId: 'r2', stopped: true }),
  r: restartingEvent(),
};
const said = { x: ['Hello', 'r1'], y: ['lo', 'r2'], z: ['', 'r1'] };

describe('endedTurns', () => {
  it.each([
    ['a turn when it is over, and the next by itself', '-a-b-c-b-(d|)', '-----x---(y|)'],
    ['what came after a restart alone', '-a-r-b-(d|)', '-------(y|)'],
    ['a turn that said nothing', '-c|', '-z|'],
    ['nothing of a turn without an end', '-a-b-|', '-----|'],
    ['no turn that fails, but the error', '-a-#', '---#'],
  ])('emits %s', (_what, source, result) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ResponseEvent>(source, values);
      const turns = events.pipe(
        endedTurns(),
        map(({ turn, event }) => [turn.text, event.responseId]),
      );
      expectObservable(turns).toBe(result, said);
      expectSubscriptions(events.subscriptions).toBe(
        `^${'-'.repeat(source.replace(/\(d\|\)/, '|').length - 2)}!`,
      );
    });
  });

  it('leaves its source when it is left', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ResponseEvent>('-a-b-c', values);
      expectObservable(events.pipe(endedTurns()), '^--!').toBe('----');
      expectSubscriptions(events.subscriptions).toBe('^--!');
    });
  });
});
