import {
  completedEvent,
  reasoningEvent,
  refusalEvent,
  restartingEvent,
  textEvent,
  toolCallEvents,
} from '../../src/testing/turn-events.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { isCall } from '../../src/turn/is-call.js';
import { isContent } from '../../src/turn/is-content.js';

const [progress, whole] = toolCallEvents({ name: 'f', arguments: '{"a":1}' });
const [, custom] = toolCallEvents({ name: 'f', input: 'a' });

describe('What an event carries', () => {
  it.each<[string, ResponseEvent, { readonly call: boolean; readonly content: boolean }]>([
    ['a whole call', whole!, { call: true, content: true }],
    ["a whole call of a custom tool's", custom!, { call: true, content: true }],
    ["a call's progress", progress!, { call: false, content: true }],
    ['text', textEvent('a'), { call: false, content: true }],
    ['reasoning', reasoningEvent('a'), { call: false, content: true }],
    ['a refusal', refusalEvent('a'), { call: false, content: true }],
    ['the end', completedEvent(), { call: false, content: false }],
    ['a restart', restartingEvent(), { call: false, content: false }],
    ['a chunk', { type: 'chunk', chunk: {} }, { call: false, content: false }],
  ])('%s', (_, event, { call, content }) => {
    expect(isCall(event)).toBe(call);
    expect(isContent(event)).toBe(content);
  });
});
