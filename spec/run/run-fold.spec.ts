import { emptyRun, reduceRun, type RunEvent, type ToolCallItem } from '../../src/index.js';
import { runFold } from '../../src/run/run-fold.js';
import { completed, text, thought } from '../support/events.js';

const call = (call_id: string): ToolCallItem => ({
  type: 'function_call',
  call_id,
  name: 'weather',
  arguments: '{}',
});
const a = call('a');
const b = call('b');
const usage = {
  inputTokens: 3,
  cachedInputTokens: 0,
  outputTokens: 2,
  reasoningOutputTokens: 0,
  totalTokens: 5,
};
const error = Object.assign(new Error('broken'), { attempts: [] });

const events: readonly RunEvent[] = [
  { type: 'input_added', items: [text('Hurry.').item] },
  text('I '),
  { type: 'restarting', attempt: 1, delay: 0, error } as unknown as RunEvent,
  thought('Hm.'),
  text('I look.'),
  { type: 'function_call_arguments_delta', callId: 'a', name: 'weather', index: 0, delta: '{}' },
  { type: 'output_item_done', item: a },
  { type: 'output_item_done', item: b },
  { type: 'function_call_arguments_delta', callId: 'c', name: 'weather', index: 2, delta: '{"ci' },
  completed({ finishReason: 'length', usage }),
  { type: 'tool_finished', callId: 'c', output: 'Cut.', duration: 0 },
  { type: 'approval_requested', call: b },
  { type: 'tool_started', call: a },
  { type: 'tool_progress', callId: 'a', value: 1 },
  { type: 'tool_started', call: b, arguments: { city: 'Oslo' } },
  { type: 'tool_finished', callId: 'b', output: 'Dry.', duration: 2 },
  { type: 'tool_finished', callId: 'a', output: 'Wet.', duration: 3 },
  text('Dry '),
  text('in Oslo.'),
  completed({ finishReason: 'stop', usage }),
  { type: 'run_completed', reason: 'answered', items: [], usage, turns: 2 },
];
const prefixes = events.map((_, place) => events.slice(0, place + 1));

describe('runFold()', () => {
  it('gives what reduceRun() gives, asked once after any number of events', () => {
    for (const prefix of prefixes) {
      const fold = runFold(emptyRun);
      prefix.forEach(fold.push);
      expect(fold.run).toEqual(prefix.reduce(reduceRun, emptyRun));
    }
  });

  it('gives what reduceRun() gives, asked after each event', () => {
    const fold = runFold(emptyRun);
    const runs = events.map((event) => {
      fold.push(event);
      return fold.run;
    });
    expect(runs).toEqual(prefixes.map((prefix) => prefix.reduce(reduceRun, emptyRun)));
  });

  it('gives the same run until the next event', () => {
    const fold = runFold(emptyRun);
    fold.push(text('I '));
    expect(fold.run).toBe(fold.run);
  });
});
