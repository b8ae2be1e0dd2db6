import fc from 'fast-check';
import {
  concat,
  delay,
  EMPTY,
  from,
  NEVER,
  type Observable,
  of,
  takeUntil,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { type Prompt, userMessage } from '../../src/prompt/prompt.js';
import { emptyRun, reduceRun, type Run } from '../../src/run/run.js';
import { runItems } from '../../src/run/run-items.js';
import { runTools } from '../../src/run/run-tools.js';
import { tool } from '../../src/run/tool.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { asked, call, called, frozen, objectionsTo, outcomeOf } from '../support/runs.js';

/** How a call ends. */
const kinds = [
  'at once',
  'later',
  'progress',
  'fails',
  'never',
  'approved',
  'rejected',
  'undecided',
  'unknown',
] as const;
const callOf = fc.record({
  kind: fc.constantFrom(...kinds),
  args: fc.constantFrom('{}', '', '{"x":', 'null', '[1]'),
});
const turnOf = fc.record({
  words: fc.array(fc.constantFrom('Let ', 'me see', ''), { maxLength: 2 }),
  calls: fc.array(callOf, { maxLength: 4 }),
  cut: fc.boolean(),
  end: fc.constantFrom('completed', 'completed', 'completed', 'error', 'empty'),
});
const runOf = fc.record({
  turns: fc.array(turnOf, { minLength: 1, maxLength: 4 }),
  concurrency: fc.constantFrom(1, 2, Infinity),
  toolTimeout: fc.constantFrom(20, Infinity),
  maxTurns: fc.constantFrom(1, 3, Infinity),
  toolError: fc.constantFrom('tell', 'tell', 'fail'),
  steer: fc.constantFrom('none', 'add', 'stop'),
});
type RandomRun = typeof runOf extends fc.Arbitrary<infer T> ? T : never;

const question = userMessage('Hi');

/** The events of a run in virtual time, by the end of which tools that never end have been left. */
function eventsOf({ turns, steer, toolError, ...limits }: RandomRun): readonly RunEvent[] {
  const scheduler = new VirtualTimeScheduler();
  const after = <T>(wait: number, value: T) => of(value).pipe(delay(wait, scheduler));
  const execute: Record<(typeof kinds)[number], () => unknown> = {
    'at once': () => 1,
    later: () => after(5, 'late'),
    progress: () => concat(of(1), after(3, 2), after(3, 3)),
    fails: () => throwError(() => new Error('theirs')),
    never: () => NEVER,
    approved: () => 'approved',
    rejected: () => 'never',
    undecided: () => 'never',
    unknown: () => 'never',
  };
  const tools = kinds
    .filter((kind) => kind !== 'unknown')
    .map((kind) =>
      tool({
        name: kind.replace(' ', '_'),
        approve: ['approved', 'rejected', 'undecided'].includes(kind),
        execute: execute[kind],
      }),
    );
  const turn = (_: Prompt, step: number): Observable<ResponseEvent> => {
    const { words, calls, cut, end } = turns[step - 1] ?? {
      words: ['Done.'],
      calls: [],
      cut: false,
      end: 'completed',
    };
    const events: ResponseEvent[] = [
      ...words.map(text),
      ...(cut
        ? [
            {
              type: 'function_call_arguments_delta',
              callId: `cut${step}`,
              name: 'later',
              index: 9,
              delta: '{"',
            } as const,
          ]
        : []),
      ...calls.map(({ kind, args }, index) => called(call(kind.replace(' ', '_'), args, `${step}.${index}`))),
    ];
    const last: Record<string, Observable<ResponseEvent>> = {
      completed: of(calls.length > 0 ? asked() : completed({ finishReason: cut ? 'length' : 'stop' })),
      error: throwError(() => new Error('broken')),
      empty: EMPTY,
    };
    return concat(from(events), last[end]!);
  };
  const run = runTools('Hi', {
    ...limits,
    turn,
    tools,
    scheduler,
    toolError,
    approve: ({ name }) => (name === 'approved' ? after(7, true) : name === 'rejected' ? false : EMPTY),
    beforeTurn: ({ step, prompt }) => {
      if (step === 1 || steer === 'none') return EMPTY;
      return steer === 'stop' ? 'stop' : { ...prompt, input: [...prompt.input, userMessage('More.')] };
    },
  });
  const outcome = outcomeOf(run.pipe(takeUntil(timer(1_000, scheduler))));
  scheduler.flush();
  return outcome.events;
}

describe('a run of any kind', () => {
  it('has items that a provider accepts after every one of its events, unless calls are pending', () => {
    fc.assert(
      fc.property(runOf, (random) => {
        let run: Run = frozen(emptyRun);
        for (const event of eventsOf(random)) {
          run = frozen(reduceRun(run, frozen(event)));
          if (run.status !== 'pending')
            expect(objectionsTo([question, ...runItems(run), question])).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends with the items that the fold of its events has, and with one status that never goes back', () => {
    let ends = 0;
    fc.assert(
      fc.property(runOf, (random) => {
        const events = eventsOf(random);
        let run = emptyRun;
        events.forEach((event, index) => {
          const { type } = event;
          expect(type === 'run_completed').toBe(type === 'run_completed' && index === events.length - 1);
          run = reduceRun(run, event);
          if (index < events.length - 1) expect(run.reason).toBeUndefined();
        });
        const last = events.at(-1);
        if (last?.type !== 'run_completed') return;
        ends += 1;
        expect(runItems(run)).toEqual(last.items);
        expect(run.steps.filter(({ turn }) => turn.status !== 'waiting').length).toBeLessThanOrEqual(
          last.turns,
        );
      }),
      { numRuns: 300 },
    );
    expect(ends).toBeGreaterThan(30);
  });

  it('goes on after it was pending, with items that a provider accepts', () => {
    let resumed = 0;
    fc.assert(
      fc.property(runOf, (random) => {
        const { calls } = random.turns[0]!;
        const undecided = { kind: 'undecided', args: '{}' } as const;
        const turns: RandomRun['turns'] = [
          { words: [], calls: [...calls, undecided], cut: false, end: 'completed' },
        ];
        const end = eventsOf({ ...random, turns, toolTimeout: 20, toolError: 'tell' }).at(-1);
        if (end?.type !== 'run_completed') return;
        expect(end.reason).toBe('pending');
        resumed += 1;
        const asked: Prompt[] = [];
        const turn = (prompt: Prompt) => {
          asked.push(prompt);
          return [completed()];
        };
        const tools = ['undecided'].map((name) => tool({ name, approve: true, execute: () => 1 }));
        const stored = JSON.parse(JSON.stringify([question, ...end.items])) as Prompt['input'];
        outcomeOf(runTools({ input: stored }, { turn, tools, approve: () => true }));
        expect(asked.map(({ input }) => objectionsTo(input))).toEqual([[]]);
      }),
      { numRuns: 300 },
    );
    expect(resumed).toBe(300);
  });
});
