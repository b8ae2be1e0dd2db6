import { stoppedEvent } from '../../src/operators/stop-when.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { emptyRun, reduceRun } from '../../src/run/run.js';
import { runItems } from '../../src/run/run-items.js';
import type { ToolCallItem } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text, thought } from '../support/events.js';
import {
  asked,
  call,
  called,
  ended,
  failed,
  finished,
  outputOf,
  requested,
  started,
} from '../support/runs.js';

const [a, b] = [call('a'), call('b')];
const cancelled = (callId: string) => outputOf(callId, 'The call was cancelled before it was complete.');
const itemsOf = (...events: readonly RunEvent[]) => runItems(events.reduce(reduceRun, emptyRun));

describe('runItems', () => {
  it('gives what each turn said and called, the outputs in the order of the calls, and what was added', () => {
    const steering = userMessage('In Celsius.');
    expect(
      itemsOf(
        thought('Hm.'),
        called(a),
        called(b),
        asked(),
        started(b),
        finished('b', '2'),
        started(a),
        finished('a', '1'),
        { type: 'input_added', items: [steering] },
        text('72'),
        completed(),
        ended({}),
      ),
    ).toEqual([thought('Hm.').item, a, b, outputOf('a', '1'), outputOf('b', '2'), steering, text('72').item]);
  });

  it('gives an output that says so for each call that was not complete when the run ended', () => {
    const events = [called(a), called(b), asked(), finished('a', '1'), started(b)];
    const items = [a, b, outputOf('a', '1'), cancelled('b')];
    expect(itemsOf(...events)).toEqual(items);
    expect(itemsOf(...events, stoppedEvent)).toEqual(items);
    expect(itemsOf(called(a))).toEqual([a, cancelled('a')]);
  });

  it('gives an output to each call with which a run went on, those that nothing was done about too', () => {
    const events: readonly RunEvent[] = [
      { type: 'run_resumed', calls: [a, b] },
      started(b),
      finished('b', '2'),
    ];
    expect(itemsOf(...events, stoppedEvent)).toEqual([cancelled('a'), outputOf('b', '2')]);
  });

  it('leaves calls open where the run is pending, and only there', () => {
    const events = [called(a), called(b), asked(), finished('a', '1'), requested(b)];
    expect(itemsOf(...events, ended({ reason: 'pending' }))).toEqual([a, b, outputOf('a', '1')]);
  });

  it('gives a call that was cut only where the model was told so', () => {
    const delta: RunEvent = {
      type: 'function_call_arguments_delta',
      callId: 'a',
      name: 'a',
      index: 0,
      delta: '{"x',
    };
    const cut = completed({ finishReason: 'length', incompleteCalls: 1 });
    expect(itemsOf(delta, cut)).toEqual([]);
    expect(itemsOf(delta, cut, failed(a, 'incomplete_arguments', 'Cut.'))).toEqual([
      { ...a, arguments: '{"x' },
      outputOf('a', 'Cut.'),
    ]);
  });

  it('gives outputs of custom tools as such, in parts too', () => {
    const custom: ToolCallItem = { type: 'custom_tool_call', call_id: 'c', name: 'shell', input: 'ls' };
    const parts = [{ type: 'input_image' as const, image_url: 'data:,' }];
    const output = { type: 'custom_tool_call_output', call_id: 'c', output: parts };
    expect(itemsOf(called(custom), asked(), finished('c', parts))).toEqual([custom, output]);
    // In a run that goes on with the calls of an earlier one, too.
    expect(itemsOf(started(custom), finished('c', parts))).toEqual([output]);
  });

  it('gives nothing of a run of which nothing has come', () => {
    expect(runItems(emptyRun)).toEqual([]);
  });
});
