import type { Turn, TurnAnswer } from '../turn/turn.js';
import { isRecord, own, parseJson, stringOf } from '../turn/wire.js';

/** Messages as the conventions write them: `gen-ai-input-messages.json` and `gen-ai-output-messages.json`. */
export interface TelemetryMessage {
  readonly role: string;
  readonly parts: readonly object[];
  readonly finish_reason?: string;
}

/** The messages of a request's body. */
export function inputMessages(messages: unknown): readonly TelemetryMessage[] {
  return listOf(messages).map((message) => {
    const role = stringOf(own(message, 'role'));
    const content = own(message, 'content');
    if (role === 'tool') {
      const id = own(message, 'tool_call_id');
      return { role, parts: [{ type: 'tool_call_response', id, response: content }] };
    }
    const calls = listOf(own(message, 'tool_calls')).map(callPart);
    return { role, parts: [...contentParts(content), ...calls] };
  });
}

function contentParts(content: unknown): readonly object[] {
  if (typeof content === 'string') return content === '' ? [] : [textPart(content)];
  return listOf(content).map((part) => {
    if (own(part, 'type') === 'text') return textPart(stringOf(own(part, 'text')));
    const image = own(part, 'image_url');
    const uri = isRecord(image) ? stringOf(own(image, 'url')) : '';
    // Inline data is large, and useless to a reader of the trace.
    if (uri !== '' && !uri.startsWith('data:')) return { type: 'uri', modality: 'image', uri };
    return { type: stringOf(own(part, 'type')) || 'unknown' };
  });
}

function callPart(call: Record<string, unknown>): object {
  const tool = own(call, 'function') ?? own(call, 'custom');
  const { name, input, ...rest } = isRecord(tool) ? tool : {};
  const given = rest['arguments'] ?? input;
  return { type: 'tool_call', id: own(call, 'id'), name, arguments: argumentsOf(given) };
}

const argumentsOf = (given: unknown): unknown =>
  typeof given === 'string' ? (parseJson(given) ?? given) : given;

/** A turn's output, one message per choice. */
export function outputMessages(turn: Turn): readonly TelemetryMessage[] {
  return [turn, ...turn.choices].map(outputMessage);
}

function outputMessage({ reasoning, text, refusal, toolCalls, finishReason }: TurnAnswer): TelemetryMessage {
  const parts = [
    ...(reasoning === '' ? [] : [{ type: 'reasoning', content: reasoning }]),
    ...(text === '' ? [] : [textPart(text)]),
    ...(refusal === '' ? [] : [{ type: 'refusal', content: refusal }]),
    ...toolCalls.map(({ callId, name, arguments: given }) => ({
      type: 'tool_call',
      id: callId,
      name,
      arguments: argumentsOf(given),
    })),
  ];
  return { role: 'assistant', parts, finish_reason: finishReason ?? 'error' };
}

const textPart = (content: string) => ({ type: 'text', content });

const listOf = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];
