import { stoppedEvent } from '../../src/operators/stop-when.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { emptyRun, endRun, reduceRun, type Run, type RunStatus } from '../../src/run/run.js';
import { StreamError, TransportError } from '../../src/turn/errors.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { emptyTurn } from '../../src/turn/turn.js';
import { completed, text } from '../support/events.js';
import {
  asked,
  call,
  called,
  ended,
  failed,
  finished,
  frozen,
  progressed,
  requested,
  started,
} from '../support/runs.js';

const [a, b, c] = [call('a'), call('b'), call('c')];
const usage = {
  inputTokens: 10,
  cachedInputTokens: 1,
  outputTokens: 3,
  reasoningOutputTokens: 2,
  totalTokens: 13,
};

/** A run of two turns: text, two tools, one of them approved, and the answer. */
const events: readonly RunEvent[] = [
  text('Let me '),
  text('see.'),
  called(a),
  called(b),
  asked({ usage }),
  started(a),
  requested(b),
  progressed('a', 'half'),
  started(b),
  finished('a', '1', 20),
  progressed('b', 'half'),
  finished('b', '2', 5),
  { type: 'input_added', items: [userMessage('In Celsius.')] },
  text('It is '),
  text('72.'),
  completed({ finishReason: 'stop', usage }),
  ended({ turns: 2, usage: { ...usage, inputTokens: 20 } }),
];

/** The run after each event; every one is frozen, so that a fold that writes to what it was given throws. */
const runsOf = (all: readonly RunEvent[], first: Run = emptyRun): readonly Run[] => {
  let run = frozen(first);
  return all.map((event) => (run = frozen(reduceRun(run, frozen(event)))));
};
const after = (...all: readonly RunEvent[]): Run => runsOf(all).at(-1) ?? emptyRun;
const statuses = (...all: readonly RunEvent[]): readonly RunStatus[] =>
  runsOf(all).map(({ status }) => status);

describe('reduceRun', () => {
  it('opens calls of its last turn again where the run goes on with them, and leaves the others as they are', () => {
    const before = after(called(a), called(b), asked(), started(a), started(b), finished('b', '2'));
    const resumed = reduceRun(before, { type: 'run_resumed', calls: [a] });
    expect(resumed.steps).toHaveLength(1);
    expect(resumed.steps[0]?.tools.map(({ callId, status }) => [callId, status])).toEqual([
      ['a', 'waiting'],
      ['b', 'finished'],
    ]);
    expect(resumed.steps[0]?.tools[1]).toBe(before.steps[0]?.tools[1]);
    expect(resumed.status).toBe('running_tools');
  });

  it('keeps every turn and every tool', () => {
    const run = after(...events);
    expect(run).toMatchObject({ status: 'completed', reason: 'answered', usage: { inputTokens: 20 } });
    expect(run.steps.map(({ turn }) => turn.text)).toEqual(['Let me see.', 'It is 72.']);
    expect(run.steps[0]!.tools).toEqual([
      {
        callId: 'a',
        call: a,
        status: 'finished',
        needsApproval: false,
        arguments: undefined,
        progress: 'half',
        output: '1',
        error: undefined,
        duration: 20,
      },
      {
        callId: 'b',
        call: b,
        status: 'finished',
        needsApproval: true,
        arguments: undefined,
        progress: 'half',
        output: '2',
        error: undefined,
        duration: 5,
      },
    ]);
    expect(run.steps[1]).toMatchObject({ input: [userMessage('In Celsius.')], tools: [] });
  });

  it('has one status, which tells of the whole run and never flickers', () => {
    expect(statuses(...events)).toEqual([
      ...Array<RunStatus>(4).fill('streaming'),
      ...Array<RunStatus>(2).fill('running_tools'),
      ...Array<RunStatus>(2).fill('awaiting_approval'),
      ...Array<RunStatus>(3).fill('running_tools'),
      ...Array<RunStatus>(2).fill('waiting'),
      ...Array<RunStatus>(3).fill('streaming'),
      'completed',
    ]);
  });

  it('changes what an event changes, and nothing else', () => {
    const runs = runsOf(events);
    runs.forEach((run, index) => {
      const before = runs[index - 1];
      if (before === undefined) return;
      // Earlier steps.
      run.steps.slice(0, -1).forEach((step, place) => expect(step).toBe(before.steps[place]));
      const [step, stepBefore] = [run.steps.at(-1)!, before.steps[run.steps.length - 1]];
      if (stepBefore === undefined) return;
      const { type } = events[index]!;
      if (/^tool|^approval/.test(type)) {
        expect(step.turn).toBe(stepBefore.turn);
        expect(step.tools.filter((tool, place) => tool !== stepBefore.tools[place])).toHaveLength(1);
      } else if (type !== 'completed') expect(step.tools).toBe(stepBefore.tools);
      expect(step.input).toBe(stepBefore.input);
      if (type === 'run_completed') expect(run.steps).toBe(before.steps);
    });
  });

  it('gives the same run where an event changes nothing', () => {
    const run = after(text('72'));
    expect(reduceRun(run, { type: 'chunk', chunk: {} })).toBe(run);
  });

  it('begins a turn again where it restarts, and not the run', () => {
    const restarting: RunEvent = { type: 'restarting', attempt: 1, delay: 5, error: new StreamError() };
    const run = after(...events.slice(0, 12), text('Void'), restarting, text('It'));
    expect(run.steps.map(({ turn }) => turn.text)).toEqual(['Let me see.', 'It']);
    expect(statuses(...events.slice(0, 12), text('Void'), restarting, text('It')).slice(-3)).toEqual([
      'streaming',
      'restarting',
      'streaming',
    ]);
    const retrying: RunEvent = { type: 'retrying', attempt: 1, delay: 5, error: new TransportError() };
    expect(statuses(...events.slice(0, 12), retrying, text('It')).slice(-2)).toEqual([
      'retrying',
      'streaming',
    ]);
  });

  it.each([
    ['failed', failed(a, 'failed', 'The tool failed.')],
    ['failed', failed(a, 'timeout', 'Too long.')],
    ['rejected', failed(a, 'rejected', 'No.')],
    ['cancelled', failed(a, 'cancelled', 'No.')],
  ] as const)('has a tool whose call has %s', (status, event) => {
    expect(after(called(a), asked(), event).steps[0]!.tools[0]).toMatchObject({
      status,
      output: event.output,
      error: event.error,
      duration: 0,
    });
  });

  it('has the arguments by which an approval replaced those of the model', () => {
    const [tool] = after(called(a), asked(), requested(a), started(a, { city: 'Bern' })).steps[0]!.tools;
    expect(tool).toMatchObject({
      call: a,
      arguments: { city: 'Bern' },
      needsApproval: true,
      status: 'running',
    });
  });

  it('has the tools of a run that goes on with the calls of an earlier one', () => {
    const run = after(requested(a), started(a), finished('a', '1'), text('72'), completed(), ended({}));
    expect(run.steps.map(({ turn, tools }) => [turn.text, tools.map(({ call }) => call)])).toEqual([
      ['', [a]],
      ['72', []],
    ]);
    expect(run.steps[0]!.turn).toBe(emptyTurn);
  });

  it('has a tool for a call that was cut once the model is told', () => {
    const delta: RunEvent = {
      type: 'function_call_arguments_delta',
      callId: 'a',
      name: 'a',
      index: 0,
      delta: '{',
    };
    const cut = [delta, completed({ finishReason: 'length', incompleteCalls: 1 })];
    expect(after(...cut)).toMatchObject({ status: 'streaming', steps: [{ tools: [] }] });
    expect(after(...cut, failed(a, 'incomplete_arguments', 'Cut.'))).toMatchObject({
      status: 'waiting',
      steps: [{ tools: [{ callId: 'a', status: 'failed' }] }],
    });
  });

  it('does not mix the tools of two turns whose calls have the same id', () => {
    const run = after(called(a), asked(), started(a), finished('a', '1'), called(a), asked(), started(a));
    expect(run.steps.map(({ tools }) => tools.map(({ status }) => status))).toEqual([
      ['finished'],
      ['running'],
    ]);
  });

  it('adds the usage up over the turns that told theirs', () => {
    const run = after(
      called(a),
      asked({ usage }),
      finished('a', '1'),
      called(b),
      asked(),
      text('x'),
      completed({ usage }),
    );
    expect(run.usage).toEqual({
      inputTokens: 20,
      cachedInputTokens: 2,
      outputTokens: 6,
      reasoningOutputTokens: 4,
      totalTokens: 26,
    });
    expect(after(text('72'), completed()).usage).toBeNull();
  });

  describe('at the end', () => {
    const open = [called(a), called(b), called(c), asked(), finished('a', '1'), started(b), requested(c)];

    it('has the calls that wait, where the run is pending', () => {
      const run = after(...open, ended({ reason: 'pending' }));
      expect(run).toMatchObject({ status: 'pending', reason: 'pending' });
      expect(run.steps[0]!.tools.map(({ status }) => status)).toEqual([
        'finished',
        'running',
        'awaiting_approval',
      ]);
    });

    it.each<[string, RunEvent]>([
      ['by its own word', ended({ reason: 'stopped' })],
      ['from around', stoppedEvent],
    ])('has cancelled calls where it was stopped %s, and what is over stays as it is', (_, event) => {
      const before = after(...open);
      const run = reduceRun(before, event);
      expect(run).toMatchObject({ status: 'stopped', reason: 'stopped' });
      expect(run.steps[0]!.tools.map(({ status }) => status)).toEqual(['finished', 'cancelled', 'cancelled']);
      expect(run.steps[0]!.tools[0]).toBe(before.steps[0]!.tools[0]);
      expect(run.steps[0]!.turn).toBe(before.steps[0]!.turn);
    });

    it('is completed where maxTurns were taken', () => {
      expect(after(called(a), asked(), finished('a', '1'), ended({ reason: 'max_turns' }))).toMatchObject({
        status: 'completed',
        reason: 'max_turns',
      });
    });

    it('has a stopped turn where that was stopped, and is told once more', () => {
      const stopped = after(text('Hel'), called(a), stoppedEvent);
      expect(stopped).toMatchObject({
        status: 'stopped',
        steps: [{ turn: { status: 'stopped', text: 'Hel' }, tools: [{ status: 'cancelled' }] }],
      });
      const told = reduceRun(stopped, ended({ reason: 'stopped' }));
      expect(told.steps).toEqual(stopped.steps);
      expect(told).toMatchObject({ status: 'stopped', reason: 'stopped' });
    });

    it.each<[string, readonly RunEvent[]]>([
      ['that was answered', events],
      ['that was stopped from around', [text('Hel'), stoppedEvent]],
      ['that was stopped between turns', [...events.slice(0, 12), stoppedEvent]],
      ['that was pending', [called(a), asked(), ended({ reason: 'pending' })]],
    ])('of a run %s, the next event begins a new one', (_, all) => {
      expect(runsOf([text('Again')], after(...all)).at(-1)).toEqual(after(text('Again')));
      const none = ended({ reason: 'stopped', turns: 0 });
      expect(runsOf([none], after(...all)).at(-1)).toEqual(after(none));
    });
  });

  it('looks at a number of steps and tools that does not grow with the text', () => {
    let reads = 0;
    const watched = new Proxy(after(called(a), asked(), finished('a', '1'), text('')), {
      get(run, name, receiver) {
        reads += 1;
        return Reflect.get(run, name, receiver) as unknown;
      },
    });
    const readsOf = (run: Run) => {
      reads = 0;
      reduceRun(run, text('x'));
      return reads;
    };
    const atFirst = readsOf(watched);
    let run: Run = watched;
    for (let count = 0; count < 100_000; count += 1) run = reduceRun(run, text('x'));
    expect(run.steps[1]!.turn.text).toHaveLength(100_000);
    expect(run.steps[0]).toBe(watched.steps[0]);
    expect(readsOf(new Proxy(run, { get: (...of) => ((reads += 1), Reflect.get(...of) as unknown) }))).toBe(
      atFirst,
    );
  });
});

describe('endRun', () => {
  it('cancels what is open, and keeps the steps where nothing is', () => {
    const run = after(...events.slice(0, 12));
    expect(endRun(run).steps).toBe(run.steps);
    expect(endRun(emptyRun)).toEqual({ ...emptyRun, status: 'stopped', reason: 'stopped' });
  });
});
