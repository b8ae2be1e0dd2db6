import { isTurnEvent } from '../../src/turn/is-turn-event.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';

const call = { type: 'function_call', call_id: 'c', name: 'n', arguments: '{}' } as const;

describe('isTurnEvent', () => {
  it.each<RunEvent>([text('Hi'), completed(), { type: 'chunk', chunk: {} }])('lets $type pass', (event) => {
    expect(isTurnEvent(event)).toBe(true);
  });

  it.each<RunEvent>([
    { type: 'input_added', items: [] },
    { type: 'run_resumed', calls: [] },
    { type: 'approval_requested', call },
    { type: 'tool_started', call },
    { type: 'tool_progress', callId: 'c', value: 1 },
    { type: 'tool_finished', callId: 'c', output: '', duration: 0 },
    { type: 'run_completed', reason: 'answered', items: [], usage: null, turns: 1 },
  ])('knows that $type is the run itself', (event) => {
    expect(isTurnEvent(event)).toBe(false);
  });
});
