import type {
  ContentPart,
  FunctionCallOutputItem,
  MessageItem,
  MessageRole,
  ResponseItem,
} from '../turn/events.js';
import type { ToolDefinition } from './tools.js';

/** A message without ceremony: text for its content, and no type. */
export interface EasyMessage {
  readonly type?: 'message' | undefined;
  readonly role: MessageRole;
  readonly content: string | readonly ContentPart[];
}

/** What a conversation is made of. */
export type InputItem = ResponseItem | EasyMessage;

/** What is asked in one turn. */
export interface Prompt {
  /** Sent first, with the role `system`. */
  readonly instructions?: string | undefined;
  /** The conversation so far, oldest first. What `outputItems()` emits can be appended as it is. */
  readonly input: readonly InputItem[];
  /** What the model may call. */
  readonly tools?: readonly ToolDefinition[] | undefined;
}

/** A message of the user. */
export function userMessage(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** A message that the assistant wrote earlier. */
export function assistantMessage(text: string): MessageItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}

/**
 * What a call gave, to be appended after the call itself.
 *
 * @param callId - the call's `call_id`
 * @param output - text, JSON as a rule
 */
export function functionCallOutput(callId: string, output: string): FunctionCallOutputItem {
  return { type: 'function_call_output', call_id: callId, output };
}
