import { type Progress, progressAfter } from '../../src/turn/progress.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { inputAdded, runCompleted, toolEvents, wholeRun } from '../support/run-events.js';

const { requested, started, progress, finished } = toolEvents;

describe('progressAfter', () => {
  it.each<[string, readonly RunEvent[], Progress]>([
    ['in the midst of a turn', [text('a')], 'turn'],
    ['over after a turn', [text('a'), completed()], 'over'],
    ['in the midst of the second turn', [completed(), text('a')], 'turn'],
    ['in a run after its first event between turns', [completed(), requested], 'run'],
    ['in a run while a tool executes', [completed(), started, progress], 'run'],
    ['in a run after a tool', [completed(), started, finished], 'run'],
    ['in a run that begins with what was added', [inputAdded], 'run'],
    ['in a run after its second turn', [completed(), started, finished, text('a'), completed()], 'run'],
    ['over after a run', [completed(), started, finished, completed(), runCompleted], 'over'],
    ['over after a run of one turn', [completed(), runCompleted], 'over'],
    ['over where a run was stopped', [completed(), started, completed({ stopped: true })], 'over'],
    ['in the midst of the first turn of the next run', [started, runCompleted, text('a')], 'turn'],
    ['over after all events', wholeRun, 'over'],
  ])('is %s', (_, events, expected) => {
    expect(events.reduce(progressAfter, 'turn')).toBe(expected);
    expect(events.reduce(progressAfter, 'over')).toBe(expected);
  });
});
