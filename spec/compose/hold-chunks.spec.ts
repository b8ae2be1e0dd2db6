import { type Given, holdChunks } from '../../src/compose/hold-chunks.js';
import { StreamError, TransportError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';

const chunk = (id: string): ResponseEvent => ({ type: 'chunk', chunk: { id } });
const values: Record<string, ResponseEvent> = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ finishReason: 'stop' }),
  k: chunk('1'),
  l: chunk('2'),
  r: { type: 'restarting', attempt: 1, delay: 0, error: new StreamError() },
  w: { type: 'retrying', attempt: 1, delay: 0, error: new TransportError() },
};

describe('holdChunks', () => {
  it.each([
    ['holds chunks until the turn says something', ' -k-l-a-----k-b-(c|)', '-----(kla)-k-b-(c|)', 'part all'],
    ['lets retrying pass at once', '                 -k-w-a', '              ---w-(ka)', 'part'],
    ['gives nothing of a turn that fails before', '  -k-l-#', '              -----#', ''],
    ['gives chunks with a completed alone', '         -k-(c|)', '             ---(kc|)', 'part all'],
    ['drops what it holds at restarting', '          -k-r-l-a', '            ---r---(la)', 'nothing part'],
    [
      'holds anew after restarting',
      '                -a-k-r-l-b',
      '          -a-k-r---(lb)',
      'part nothing part',
    ],
    ['passes an end without a word', '               --|', '                 --|', ''],
  ])('%s', (_, given, expected, told) => {
    testScheduler().run(({ cold, expectObservable, flush }) => {
      const states: Given[] = [];
      const source = cold<ResponseEvent>(given.trim(), values);
      expectObservable(source.pipe(holdChunks((state) => states.push(state)))).toBe(expected.trim(), values);
      flush();
      expect(states.join(' ')).toBe(told);
    });
  });

  it('lets go of its source where its consumer leaves', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-k-l-a', values);
      expectObservable(source.pipe(holdChunks(() => undefined)), '^--!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe('                 ^--!');
    });
  });
});
