import type { FunctionCallItem, ToolCallItem } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { ToolError } from '../../src/turn/tool-error.js';
import { TransportError } from '../../src/turn/errors.js';
import { userMessage } from '../../src/prompt/prompt.js';
import {
  completedEvent,
  reasoningEvent,
  restartingEvent,
  textEvent,
  tokenUsage,
  toolCallEvents,
  turnOf,
} from '../../src/testing/turn-events.js';

export const weatherCall: FunctionCallItem = {
  type: 'function_call',
  call_id: 'call_0_0',
  name: 'weather',
  arguments: '{"city":"Bern"}',
};

const shellCall: ToolCallItem = { type: 'custom_tool_call', call_id: 'shell', name: 'shell', input: 'rm -r' };
const timeCall: FunctionCallItem = { ...weatherCall, call_id: 'time', name: 'time', arguments: '{' };

/** The events between two turns, in the order in which a call has them. */
export const toolEvents = {
  requested: { type: 'approval_requested', call: weatherCall },
  started: { type: 'tool_started', call: weatherCall },
  progress: { type: 'tool_progress', callId: 'call_0_0', value: { done: 0.5 } },
  finished: { type: 'tool_finished', callId: 'call_0_0', output: 'rainy', duration: 12 },
} as const satisfies Record<string, RunEvent>;

export const inputAdded: RunEvent = { type: 'input_added', items: [userMessage('And in Rome?')] };

export const runCompleted = {
  type: 'run_completed',
  reason: 'answered',
  items: [weatherCall, { type: 'function_call_output', call_id: 'call_0_0', output: 'rainy' }],
  usage: tokenUsage({ inputTokens: 9, outputTokens: 3 }),
  turns: 2,
} as const satisfies RunEvent;

/** A run with every kind of event, and every field that an event may have. What restarts has said nothing before. */
export const wholeRun: readonly RunEvent[] = [
  { type: 'retrying', attempt: 1, delay: 4, error: new TransportError() },
  restartingEvent({ delay: 4 }),
  { type: 'chunk', chunk: { id: 'chatcmpl-1' } },
  reasoningEvent('They want', { provider: 'p', extras: { signature: 's' } }),
  reasoningEvent(' the weather.', { details: [{ type: 'reasoning.text', signature: 't' }] }),
  ...turnOf(
    'Let me ',
    'see. ',
    toolCallEvents([
      { name: 'weather', arguments: ['{"city"', ':"Bern"}'], extras: { signature: 'u' } },
      { name: 'shell', callId: 'shell', input: ['rm', ' -r'] },
      { name: 'time', callId: 'time', arguments: '{' },
    ]),
    { usage: { inputTokens: 5, outputTokens: 2 } },
  ),
  { type: 'approval_requested', call: shellCall },
  toolEvents.requested,
  { ...toolEvents.started, arguments: { city: 'Basel' } },
  toolEvents.progress,
  {
    type: 'tool_finished',
    callId: 'shell',
    output: 'No.',
    duration: 0,
    error: new ToolError('rejected', shellCall),
  },
  { ...toolEvents.progress, value: 'almost' },
  {
    ...toolEvents.finished,
    output: [
      { type: 'input_text', text: 'rainy' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
      { type: 'input_file', file_id: 'file-1' },
    ],
  },
  { type: 'tool_started', call: timeCall },
  {
    type: 'tool_finished',
    callId: 'time',
    output: '',
    duration: 3,
    error: new ToolError('timeout', timeCall),
  },
  inputAdded,
  restartingEvent({ attempt: 1, delay: 4 }),
  textEvent('It is '),
  textEvent('rainy.'),
  completedEvent({ usage: { inputTokens: 4, outputTokens: 1 } }),
  runCompleted,
];
