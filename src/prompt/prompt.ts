import type {
  ContentPart,
  FunctionCallOutputItem,
  MessageItem,
  MessageRole,
  ResponseItem,
  ToolOutput,
} from '../turn/events.js';
import type { ToolDefinition } from './tools.js';

/** A message in short form, with a string as its content and no type. */
export interface EasyMessage {
  readonly type?: 'message' | undefined;
  readonly role: MessageRole;
  readonly content: string | readonly ContentPart[];
}

/** One item of a conversation. */
export type InputItem = ResponseItem | EasyMessage;

/** The input of one turn. */
export interface Prompt {
  /** Sent first, as a `system` message, unless it is empty. */
  readonly instructions?: string | undefined;
  /** The conversation so far, oldest first. Append what `outputItems()` emits. */
  readonly input: readonly InputItem[];
  /** The tools that the model may call. */
  readonly tools?: readonly ToolDefinition[] | undefined;
}

/** A message from the user. */
export function userMessage(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/**
 * A prompt, of which a string is one user message.
 *
 * @throws TypeError if it is neither a string nor a prompt
 */
export function promptOf(given: Prompt | string): Prompt {
  const prompt: Partial<Prompt> | null | undefined =
    typeof given === 'string' ? { input: [userMessage(given)] } : given;
  if (!Array.isArray(prompt?.input))
    throw new TypeError('The prompt must be a string, or an object with an input array.');
  return prompt as Prompt;
}

/** An earlier message from the assistant. */
export function assistantMessage(text: string): MessageItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}

/**
 * The output of a call, to be appended after the call itself.
 *
 * @param callId - the call's `call_id`
 * @param output - a string, usually JSON, or parts: text, images, files. Chat Completions accepts only text
 *   from a tool, so images and files are sent in a user message after it
 */
export function functionCallOutput(callId: string, output: ToolOutput): FunctionCallOutputItem {
  return { type: 'function_call_output', call_id: callId, output };
}
