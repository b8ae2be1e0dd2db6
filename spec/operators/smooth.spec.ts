import fc from 'fast-check';
import {
  concat,
  from,
  map,
  type Observable,
  of,
  range,
  type SchedulerLike,
  Subject,
  take,
  tap,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import type { OutputItemDoneEvent, ResponseEvent } from '../../src/turn/events.js';
import { smooth, type SmoothOptions } from '../../src/operators/smooth.js';
import { textDeltas } from '../../src/operators/text-deltas.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { emptyTurn, reduceTurn } from '../../src/turn/turn.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text, thought } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { played, story, timedEvents } from '../support/random-events.js';
import { inputAdded, runCompleted, toolEvents } from '../support/run-events.js';

const call: ResponseEvent = {
  type: 'output_item_done',
  item: { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
};

const argumentsDelta: ResponseEvent = {
  type: 'function_call_arguments_delta',
  callId: 'call_1',
  name: 'f',
  index: 0,
  delta: '{}',
};

const values = {
  a: text('The quick brown fo'),
  b: text('x.'),
  e: text(' Hi you'),
  f: call,
  c: completed(),
  t: text('The'),
  q: text(' quick'),
  w: text(' brown'),
  o: text(' fo'),
  x: text(' fox.'),
  h: text(' Hi'),
  y: text(' you'),
  W: text(' brown fo'),
  R: text(' quick brown fo'),
  z: text('x.'),
  r: restartingEvent({ delay: 2 }),
};

interface Given {
  readonly at: number;
  readonly event: ResponseEvent;
}

/** What comes out of `smooth()`, and when, on a clock of its own. */
function smoothed(source: (clock: SchedulerLike) => Observable<ResponseEvent>, options: SmoothOptions = {}) {
  const clock = new VirtualTimeScheduler();
  const given: Given[] = [];
  let end: unknown = 'none';
  source(clock)
    .pipe(smooth({ ...options, scheduler: clock }))
    .subscribe({
      next: (event) => given.push({ at: clock.now(), event }),
      error: (error: unknown) => (end = error),
      complete: () => (end = 'complete'),
    });
  clock.flush();
  return { given, end, endedAt: clock.now() };
}

/** The pieces in which deltas that come 1,000 ms apart are given out, those of one delta in a row. */
function segmentsOf(deltas: readonly string[], options: SmoothOptions = {}): readonly string[] {
  const timed = deltas.map((delta) => ({ event: text(delta), gap: 1_000 }));
  const { given } = smoothed((clock) => played(timed, clock), { maxLag: Infinity, ...options });
  return received(from(given.map(({ event }) => event)).pipe(textDeltas()));
}

describe('smooth', () => {
  it('gives words out one by one, and the last one when it is whole', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('                   --a--------b|', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('--t--q--w---(x|)', values);
      expectSubscriptions(source.subscriptions).toBe('               ^-----------!');
    });
  });

  it('gives the first word after a silence out at once', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                   a-----------e-----(c|)', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('t--q--w-----o--h--(yc|)', values);
    });
  });

  it('drops what waits at restarting, which passes at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('                   -a---r-e--(c|)', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--qr-h--(yc|)', values);
      expectSubscriptions(source.subscriptions).toBe('               ^---------!');
    });
  });

  it('drops nothing of the turn before the one that is restarting', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                   -acer----------(b|)', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(ocr)(z|)', values);
    });
  });

  it('passes each of several restarts that wait behind the turn before', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                   -acerer---------(b|)', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(ocrr)(z|)', values);
    });
  });

  it('has no timer after restarting, and begins at its own pace anew', () => {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<ResponseEvent>();
    const given: ResponseEvent[] = [];
    source.pipe(smooth({ maxLag: 200, scheduler: clock })).subscribe((event) => given.push(event));
    source.next(text('so '.repeat(100)));
    expect(timersOf(clock)).toBe(1);
    source.next(values.r);
    expect(timersOf(clock)).toBe(0);
    given.length = 0;
    source.next(values.a);
    source.next(values.c);
    clock.flush();
    expect(given).toEqual([values.t, values.q, values.w, values.o, values.c]);
  });

  it('passes completed after the text, in its time', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                   -a(c|)', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(oc|)', values);
    });
  });

  it('completes after the text where the source ends without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                   -a-|', values);
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(o|)', values);
    });
  });

  it('gives all out at once before an error', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('                   -af-#', values, 'broken');
      expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--(Rf#)', values, 'broken');
      expectSubscriptions(source.subscriptions).toBe('               ^---!');
    });
  });

  it('keeps the other events in their places', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                   -afe-----------f-(c|)', values);
      expectObservable(source.pipe(smooth({ delay: 4 }))).toBe('-t---q---w---(of)h---(yfc|)', values);
    });
  });

  it('passes other events at once where no text waits', () => {
    const others = [
      call,
      argumentsDelta,
      { type: 'chunk', chunk: {} } as const,
      { type: 'output_item_done', item: userMessage('a b c') } as const,
      {
        type: 'output_item_done',
        item: {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'a b c' },
            { type: 'refusal', refusal: 'd' },
          ],
        },
      } as const,
      completed(),
    ];
    const passed = received(from(others).pipe(smooth()));
    expect(passed).toHaveLength(others.length);
    passed.forEach((event, index) => expect(event).toBe(others[index]));
  });

  it('gives what is held out when half of maxLag has passed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('                               a-----------b---', values);
      expectObservable(source.pipe(smooth({ delay: 1, maxLag: 10 })), '^---------------!').toBe(
        'tqw--o-----------',
        values,
      );
    });
  });

  it('counts that time from the oldest of what is held, however often it is cut', () => {
    const segmenter = (said: string) => [said.slice(0, 1), said.slice(1)];
    const { given } = smoothed(
      (clock) =>
        played(
          [
            { gap: 0, event: text('abcd') },
            { gap: 40, event: text('e') },
            { gap: 80, event: completed() },
          ],
          clock,
        ),
      { segmenter, maxLag: 100 },
    );
    expect(given).toEqual([
      { at: 0, event: text('a') },
      { at: 40, event: text('b') },
      { at: 50, event: text('cde') },
      { at: 120, event: completed() },
    ]);
  });

  it('gives several words out at a time where half of maxLag has no room for one by one', () => {
    const words = text('one two three four five six seven eight nine ten eleven twelve');
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a', { a: words }).pipe(smooth({ delay: 5, maxLag: 40 }))).toBe(
        '-a----b----c----d----e',
        {
          a: text('one two three'),
          b: text(' four five six'),
          c: text(' seven eight nine'),
          d: text(' ten eleven'),
          e: text(' twelve'),
        },
      );
    });
  });

  it('falls back to one at a time when it has caught up', () => {
    const { given } = smoothed(
      (clock) =>
        played(
          [
            { gap: 0, event: text('a b c d e f g h i j ') },
            { gap: 100, event: text('k l ') },
          ],
          clock,
        ),
      { delay: 10, maxLag: 40 },
    );
    expect(given).toEqual([
      { at: 0, event: text('a b c d e') },
      { at: 10, event: text(' f g h i j') },
      { at: 20, event: text(' ') },
      { at: 100, event: text('k') },
      { at: 110, event: text(' l') },
      { at: 120, event: text(' ') },
    ]);
  });

  it('gives reasoning and refusals out like text, each by itself', () => {
    const refusal = (said: string): OutputItemDoneEvent => ({
      type: 'output_item_done',
      item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: said }] },
    });
    const { given } = smoothed(() => of(thought('Hm, so'), text('I am'), refusal('No way'), completed()), {
      delay: 10,
    });
    expect(given).toEqual([
      { at: 0, event: thought('Hm,') },
      { at: 10, event: thought(' so') },
      { at: 20, event: text('I') },
      { at: 30, event: text(' am') },
      { at: 40, event: refusal('No') },
      { at: 50, event: refusal(' way') },
      { at: 50, event: completed() },
    ]);
  });

  it('keeps every entry of the details of reasoning', () => {
    const details = [{ type: 'a' }, { type: 'b' }, { type: 'c' }];
    const { given } = smoothed(() =>
      of(thought('Let ', details[0]), thought('me see', details[1]), thought('', details[2]), completed()),
    );
    expect(given.map(({ event }) => event)).toEqual([
      thought('Let', details[0]),
      thought(' me', details[1]),
      thought(' see', details[2]),
      completed(),
    ]);
  });

  it('passes choices in the order in which they came', () => {
    const other = (said: string) => ({ ...text(said), choice: 1 });
    const { given } = smoothed(() => of(text('a b'), other('c d'), text('e'), completed()));
    expect(given.map(({ event }) => event)).toEqual([
      text('a'),
      text(' b'),
      other('c'),
      other(' d'),
      text('e'),
      completed(),
    ]);
  });

  it('stops its timers when its subscriber leaves', () => {
    const clock = new VirtualTimeScheduler();
    const events: ResponseEvent[] = [];
    const source = new Subject<ResponseEvent>();
    const subscription = source.pipe(smooth({ scheduler: clock })).subscribe((event) => events.push(event));
    source.next(text('a b c'));
    expect(timersOf(clock)).toBe(1);
    subscription.unsubscribe();
    expect(timersOf(clock)).toBe(0);
    expect(source.observed).toBe(false);
    clock.flush();
    expect(events).toEqual([text('a')]);
  });

  it('has a timer while something waits, and none else', () => {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<ResponseEvent>();
    const failures: unknown[] = [];
    source.pipe(smooth({ scheduler: clock })).subscribe({ error: (error: unknown) => failures.push(error) });
    source.next(call);
    expect(timersOf(clock)).toBe(0);
    source.next(text('a'));
    expect(timersOf(clock)).toBe(1);
    source.next(call);
    expect(timersOf(clock)).toBe(0);
    source.next(text('a b c'));
    source.next(text(' d e f'));
    expect(timersOf(clock)).toBe(1);
    source.next(completed());
    clock.flush();
    expect(timersOf(clock)).toBe(0);
    source.next(text('a'));
    source.error('broken');
    expect(failures).toEqual(['broken']);
    expect(timersOf(clock)).toBe(0);
  });

  it('leaves no timer where its subscriber leaves at an event', () => {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<ResponseEvent>();
    concat(of(text('a b c')), source)
      .pipe(smooth({ scheduler: clock }), take(1))
      .subscribe();
    expect(timersOf(clock)).toBe(0);
    source.pipe(smooth({ scheduler: clock }), take(1)).subscribe();
    source.next(text('a b c'));
    expect(timersOf(clock)).toBe(0);
  });

  it('sets no new timer for each delta', () => {
    const clock = new VirtualTimeScheduler();
    const schedule = jest.spyOn(clock, 'schedule');
    const source = new Subject<ResponseEvent>();
    source.pipe(smooth({ scheduler: clock })).subscribe();
    for (let delta = 0; delta < 100; delta += 1) source.next(text('wo rd'));
    // One for the first word, which is held, and one for the step after it.
    expect(schedule).toHaveBeenCalledTimes(2);
  });

  it('keeps the delay after what was held too long', () => {
    const { given } = smoothed(
      (clock) =>
        played(
          [
            { gap: 0, event: text('a') },
            { gap: 25, event: text('b c') },
          ],
          clock,
        ),
      { delay: 10, maxLag: 40 },
    );
    expect(given).toEqual([
      { at: 20, event: text('a') },
      { at: 30, event: text('b') },
      { at: 40, event: text(' c') },
    ]);
  });

  it('stands on asyncScheduler by default', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('        a', values);
      expectObservable(source.pipe(smooth())).toBe('t 9ms q 9ms w 479ms o', values);
    });
  });

  it('makes up for the steps that a late timer missed', () => {
    const clock = handClock();
    const events: ResponseEvent[] = [];
    const source = new Subject<ResponseEvent>();
    source.pipe(smooth({ scheduler: clock, delay: 10 })).subscribe((event) => events.push(event));
    source.next(text('a b c d e f g h'));
    clock.fireAt(35);
    expect(events).toEqual([text('a'), text(' b c d')]);
    expect(clock.pending()).toBe(5);
    clock.fireAt(40);
    expect(events.slice(2)).toEqual([text(' e')]);
  });

  it('takes the time of a timer that has fired for reached, where the clock shows less', () => {
    const clock = handClock();
    const events: ResponseEvent[] = [];
    const source = new Subject<ResponseEvent>();
    source.pipe(smooth({ scheduler: clock, delay: 10 })).subscribe((event) => events.push(event));
    source.next(text('a b c'));
    clock.fireAt(9);
    expect(events).toEqual([text('a'), text(' b')]);
    expect(clock.pending()).toBe(490);
  });

  it('goes on where the clock is set back', () => {
    const clock = handClock(10_000);
    const events: ResponseEvent[] = [];
    const source = new Subject<ResponseEvent>();
    source.pipe(smooth({ scheduler: clock, delay: 10 })).subscribe((event) => events.push(event));
    source.next(text('a b c'));
    clock.fireAt(0);
    expect(events).toEqual([text('a'), text(' b')]);
    expect(clock.pending()).toBe(490);
    clock.fireAt(490);
    expect(events).toEqual([text('a'), text(' b'), text(' c')]);
  });

  it('gives whole words out as they come where delay is 0', () => {
    const { given } = smoothed(
      (clock) =>
        played(
          [
            { gap: 0, event: text('a b c') },
            { gap: 7, event: text('d e') },
            { gap: 7, event: completed() },
          ],
          clock,
        ),
      { delay: 0 },
    );
    expect(given).toEqual([
      { at: 0, event: text('a b') },
      { at: 7, event: text(' cd') },
      { at: 14, event: text(' e') },
      { at: 14, event: completed() },
    ]);
  });

  it('holds nothing where maxLag is 0', () => {
    const events = [text('a b'), text('c d'), completed()];
    expect(received(from(events).pipe(smooth({ maxLag: 0 })))).toEqual(events);
  });

  it('takes as long as it needs where maxLag is Infinity', () => {
    const { given, endedAt } = smoothed(() => of(text('a '.repeat(1_000)), completed()), {
      maxLag: Infinity,
    });
    expect(given).toHaveLength(1_002);
    expect(endedAt).toBe(10_000);
  });

  it('keeps to maxLag where delay is longer', () => {
    const { given } = smoothed(() => of(text('a b c'), completed()), { delay: 5_000, maxLag: 100 });
    expect(given).toEqual([
      { at: 0, event: text('a b') },
      { at: 50, event: text(' c') },
      { at: 50, event: completed() },
    ]);
  });

  it('stops an endless synchronous source', () => {
    let asked = 0;
    const deltas = range(0, Infinity).pipe(map(() => ((asked += 1), call)));
    expect(received(deltas.pipe(smooth(), take(2)))).toEqual([call, call]);
    expect(asked).toBeLessThanOrEqual(3);
  });

  it('keeps the order where its consumer makes the source emit', () => {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<ResponseEvent>();
    const events: ResponseEvent[] = [];
    source.pipe(smooth({ scheduler: clock })).subscribe((event) => {
      events.push(event);
      if (events.length !== 1) return;
      source.next(thought('c'));
      source.next(call);
      source.complete();
    });
    source.next(text('a b'));
    clock.flush();
    expect(events).toEqual([text('a'), text(' b'), thought('c'), call]);
  });

  it('smooths each subscription by itself', () => {
    const clock = new VirtualTimeScheduler();
    const turn = of<ResponseEvent[]>(text('a b'), completed()).pipe(
      smooth({ scheduler: clock }),
      textDeltas(),
    );
    const said: string[] = [];
    turn.subscribe((each) => said.push(each));
    turn.subscribe((each) => said.push(each));
    clock.flush();
    expect(said).toEqual(['a', 'a', ' b', ' b']);
  });

  describe('takes for a segment', () => {
    const familyOf = (...people: readonly string[]) => people.join('\u200d');
    const family = familyOf('👩', '👧', '👦');
    const cases: readonly [string, SmoothOptions, readonly string[], readonly string[]][] = [
      ['a word, with the space before it', {}, ['The quick fox'], ['The', ' quick', ' fox']],
      ['a word that comes in pieces', {}, ['Hel', 'lo wo', 'rld'], ['Hello', ' world']],
      ['punctuation with the word before it', {}, ['Yes', ', ("no") ', '!'], ['Yes,', ' ("no")', ' !']],
      ['a number that goes on after its point', {}, ['3.', '14 is'], ['3.14', ' is']],
      ['a word that goes on after its apostrophe', {}, ["can'", 't stop'], ["can't", ' stop']],
      ['lines with their indentation', {}, ['a\n\n  - b\n'], ['a', '\n\n  -', ' b', '\n']],
      ['what stands between spaces', {}, ['| --- | => {\n'], ['|', ' ---', ' |', ' =>', ' {', '\n']],
      [
        'Chinese words',
        { locale: 'zh' },
        ['你好', '世界，我们去', '公园'],
        ['你好', '世界，', '我们', '去', '公园'],
      ],
      ['Japanese words', { locale: 'ja' }, ['東京で', '寿司。'], ['東京', 'で', '寿司。']],
      ['Thai words', { locale: 'th' }, ['สวัสดี', 'ครับ'], ['สวัสดี', 'ครับ']],
      ['emoji with what they follow', {}, ['Hi ', family, ' you'], ['Hi', ` ${family}`, ' you']],
      ['graphemes', { segmenter: 'grapheme' }, ['ab c'], ['a', 'b', ' ', 'c']],
      ['combining marks', { segmenter: 'grapheme' }, ['e', '\u0301e'], ['e\u0301', 'e']],
      ['halves of a surrogate pair', { segmenter: 'grapheme' }, ['\ud83d', '\ude00!'], ['😀', '!']],
      ['a family', { segmenter: 'grapheme' }, ['👩\u200d', '👧', '\u200d👦.'], [family, '.']],
      ['flags', { segmenter: 'grapheme' }, ['🇫', '🇷🇯', '🇵'], ['🇫🇷', '🇯🇵']],
      ['a line break of two', { segmenter: 'grapheme' }, ['\r', '\na'], ['\r\n', 'a']],
      [
        'what an Intl.Segmenter says',
        { segmenter: new Intl.Segmenter('en', { granularity: 'sentence' }) },
        ['It is. So', ' is it. Yes'],
        ['It is. ', 'So is it. ', 'Yes'],
      ],
      [
        'words of an Intl.Segmenter',
        { segmenter: new Intl.Segmenter('en', { granularity: 'word' }) },
        ['It is', ' so.'],
        ['It', ' is', ' so.'],
      ],
      [
        'what a function says',
        { segmenter: (said) => said.split(/(?<=\n)/) },
        ['a b\nc', ' d\n', 'e'],
        ['a b\n', 'c d\n', 'e'],
      ],
      ['all, of a function that says less', { segmenter: () => ['1', '', '23'] }, ['abcde'], ['a', 'bcde']],
      ['all, of a function that says more', { segmenter: () => ['12', '3456'] }, ['abc'], ['ab', 'c']],
      ['all, of a function that says nothing', { segmenter: () => [] }, ['ab', 'c'], ['abc']],
    ];

    it.each(cases.map(([title, options, deltas, expected]) => ({ title, options, deltas, expected })))(
      '$title',
      ({ options, deltas, expected }) => expect(segmentsOf(deltas, options)).toEqual(expected),
    );
  });

  describe('where the platform has no Intl.Segmenter', () => {
    const { Segmenter } = Intl;
    beforeAll(() => void Reflect.deleteProperty(Intl, 'Segmenter'));
    afterAll(() => void Object.assign(Intl, { Segmenter }));

    it('tells words by white space, and ideographs one by one', () => {
      expect(segmentsOf(['Hel', 'lo,  you\n', ' there'])).toEqual(['Hello,', '  you', '\n there']);
      expect(segmentsOf(['你好', '。OK'])).toEqual(['你', '好', '。OK']);
      expect(segmentsOf(['  ', ' '])).toEqual(['   ']);
    });

    it('takes code points for graphemes', () => {
      expect(segmentsOf(['a\ud83d', '\ude00\nb'], { segmenter: 'grapheme' })).toEqual(['a', '😀', '\n', 'b']);
    });

    it('still takes an own segmenter', () => {
      expect(segmentsOf(['abc'], { segmenter: (said) => said.split('') })).toEqual(['a', 'b', 'c']);
    });
  });

  it('waits for no end of a segment of more than 1,000 units, and cuts it beside a surrogate pair', () => {
    const { given } = smoothed(() => of(text(`x${'😀'.repeat(1_000)}`), completed()), {
      segmenter: () => [],
    });
    expect(given.map(({ event }) => event)).toEqual([
      text(`x${'😀'.repeat(499)}`),
      text('😀'.repeat(500)),
      text('😀'),
      completed(),
    ]);
  });

  it('segments but the ends of the pieces of a long text, and loses none of it', () => {
    const long = 'The quick brown 👩‍👩‍👧 '.repeat(40_000);
    let read = 0;
    const platform = new Intl.Segmenter(undefined, { granularity: 'word' });
    const segmenter = (all: string) => {
      read += all.length;
      return Array.from(platform.segment(all), ({ segment }) => segment);
    };
    const given: string[] = [];
    const scheduler = testScheduler();
    scheduler.run(() => {
      of<ResponseEvent[]>(text(long), completed())
        .pipe(smooth({ segmenter, scheduler }), textDeltas())
        .subscribe((each) => given.push(each));
    });
    expect(given.join('')).toBe(long);
    expect(given.length).toBeGreaterThan(10);
    expect(read).toBeLessThan(600_000);
    const words = new Set(['The', 'quick', 'brown', '👩‍👩‍👧']);
    const begins = given.map((each) => /\S+/.exec(each)?.[0] ?? '');
    expect(begins.filter((word) => !words.has(word))).toEqual([]);
  });

  it('ends the turn with what an own segmenter throws, after the text', () => {
    const broken = new Error('no');
    const segmenter = (said: string) => {
      if (said.includes('!')) throw broken;
      return said.split(/(?= )/);
    };
    const { given, end } = smoothed(() => of(text('a b'), text('c!'), text('d'), completed()), { segmenter });
    expect(given.map(({ event }) => event)).toEqual([text('a'), text(' bc!')]);
    expect(end).toBe(broken);
  });

  it('refuses a locale that is none', () => {
    expect(() => smooth({ locale: 'no locale' })).toThrow(RangeError);
  });

  describe('reads each text a bounded number of times:', () => {
    const counted = () => {
      let units = 0;
      const words = new Intl.Segmenter(undefined, { granularity: 'word' });
      const segmenter = { segment: (said: string) => ((units += said.length), words.segment(said)) };
      return { segmenter, read: () => units };
    };

    it('100,000 words in one delta', () => {
      const { segmenter, read } = counted();
      const long = 'word '.repeat(100_000);
      const { given } = smoothed(() => of(text(long), completed()), { segmenter });
      expect(read()).toBeLessThan(long.length * 1.1);
      expect(given).toHaveLength(52);
      expect(received(from(given.map(({ event }) => event)).pipe(textDeltas())).join('')).toBe(long);
    });

    it('20,000 deltas in one task', () => {
      const { segmenter, read } = counted();
      const deltas = Array.from({ length: 20_000 }, () => text('wo rd'));
      const { given } = smoothed(() => from([...deltas, completed()]), { segmenter });
      expect(read()).toBeLessThan(20_000 * 12);
      expect(story(given.map(({ event }) => event))).toEqual(story([...deltas, completed()]));
    });

    it('one word that does not end', () => {
      const { segmenter, read } = counted();
      const deltas = Array.from({ length: 20_000 }, () => text('abcd'));
      const { given } = smoothed(() => from([...deltas, completed()]), { segmenter });
      expect(read()).toBeLessThan(80_000 * 130);
      expect(story(given.map(({ event }) => event))).toEqual(story([...deltas, completed()]));
    });
  });

  describe('whatever comes at whatever time', () => {
    const anyOptions = fc.record<SmoothOptions>({
      segmenter: fc.constantFrom<NonNullable<SmoothOptions['segmenter']>>('word', 'grapheme', (said) => [
        said.slice(0, 3),
        said.slice(3),
      ]),
      delay: fc.constantFrom(0, 1, 10, 50, 400),
      maxLag: fc.constantFrom(0, 1, 20, 100, 1_000, Infinity),
    });

    it('loses nothing, keeps the order and ends in the same turn', () => {
      fc.assert(
        fc.property(timedEvents, anyOptions, fc.boolean(), (timed, options, fails) => {
          const { given, end } = smoothed(
            (clock) =>
              fails
                ? concat(
                    played(timed, clock),
                    throwError(() => 'broken'),
                  )
                : played(timed, clock),
            options,
          );
          const events = given.map(({ event }) => event);
          const plain = timed.map(({ event }) => event);
          expect(end).toBe(fails ? 'broken' : 'complete');
          expect(story(events)).toEqual(story(plain));
          expect(events.reduce(reduceTurn, emptyTurn)).toEqual(plain.reduce(reduceTurn, emptyTurn));
        }),
        { numRuns: 200 },
      );
    });

    it('is never further behind than maxLag, and completes in half of it', () => {
      fc.assert(
        fc.property(timedEvents, anyOptions, (timed, options) => {
          const came: number[] = [];
          let sourceEnd = 0;
          const { given, endedAt } = smoothed(
            (clock) =>
              played(timed, clock).pipe(
                tap({
                  next: (event) => came.push(...Array.from(unitsOf(event), () => clock.now())),
                  complete: () => (sourceEnd = clock.now()),
                }),
              ),
            options,
          );
          const maxLag = options.maxLag ?? 0;
          const left = given.flatMap(({ at, event }) => Array.from(unitsOf(event), () => at));
          expect(left).toHaveLength(came.length);
          left.forEach((at, index) => expect(at - came[index]!).toBeLessThanOrEqual(maxLag));
          expect(endedAt - sourceEnd).toBeLessThanOrEqual(maxLag / 2);
        }),
        { numRuns: 200 },
      );
    });

    it('cuts text where the segmenter cuts it, while it keeps coming', () => {
      const anyText = fc.array(
        fc.oneof(
          fc.constantFrom(
            'e',
            '\u0301',
            '👩',
            '\u200d',
            '👧',
            '🇫',
            '\ud83d',
            '\ude00',
            '\r',
            '\n',
            '각',
            '\u11a8',
          ),
          fc.string({ unit: 'grapheme', maxLength: 3 }),
        ),
        { maxLength: 30 },
      );
      fc.assert(
        fc.property(anyText, (deltas) => {
          const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
          const whole = Array.from(graphemes.segment(deltas.join('')), ({ segment }) => segment);
          const cut = segmentsOf(deltas, { segmenter: 'grapheme' });
          expect(cut.filter((each) => each !== '')).toEqual(whole);
        }),
      );
    });
  });
});

const timersOf = (clock: VirtualTimeScheduler) => clock.actions.filter(({ closed }) => !closed).length;

/** What may be late of an event: each unit of its text, or itself. */
function unitsOf(event: ResponseEvent): ArrayLike<unknown> {
  const [{ of: what, text: said }] = story([event]) as readonly [{ of: unknown; text: string }];
  return { length: typeof what === 'string' ? said.length : 1 };
}

/** A scheduler with one timer, which fires when it is told to. */
function handClock(start = 0) {
  const timers = new VirtualTimeScheduler();
  let now = start;
  return {
    now: () => now,
    schedule: timers.schedule.bind(timers),
    pending: () => timers.actions.find(({ closed }) => !closed)?.delay,
    fireAt(time: number) {
      now = time;
      const action = timers.actions.find(({ closed }) => !closed);
      action?.execute(action.state, action.delay);
    },
  };
}

describe('smooth of a run', () => {
  it.each([...Object.values(toolEvents), inputAdded, runCompleted])(
    'gives the text before $type, and drops nothing of it where a later turn is restarting',
    (event) => {
      testScheduler().run(({ cold, expectObservable }) => {
        const run = { ...values, k: event };
        const source = cold('-ak-|', run);
        expectObservable(source.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(ok|)', run);
        const restarted = cold('-acker----------(b|)', run);
        expectObservable(restarted.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(ockr)(z|)', run);
        const midway = cold('-acker----------(b|)', { ...run, c: inputAdded });
        expectObservable(midway.pipe(smooth({ delay: 3 }))).toBe('-t--q--w--(ockr)(z|)', {
          ...run,
          c: inputAdded,
        });
        const atOnce = cold('-k---|', run);
        expectObservable(atOnce.pipe(smooth({ delay: 3 }))).toBe('-k---|', run);
      });
    },
  );
});
