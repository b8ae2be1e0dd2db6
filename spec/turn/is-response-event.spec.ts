import { isResponseEvent } from '../../src/turn/is-response-event.js';
import { inputAdded, runCompleted, toolEvents, wholeRun } from '../support/run-events.js';

describe('isResponseEvent', () => {
  it("is true of a turn's events, and false of what happens between turns", () => {
    for (const event of [...Object.values(toolEvents), inputAdded, runCompleted])
      expect(isResponseEvent(event)).toBe(false);
    expect(new Set(wholeRun.filter(isResponseEvent).map(({ type }) => type))).toEqual(
      new Set([
        'retrying',
        'restarting',
        'chunk',
        'output_item_done',
        'function_call_arguments_delta',
        'completed',
      ]),
    );
  });
});
