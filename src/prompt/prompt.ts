import type { MessageItem, ResponseItem } from '../events.js';

/** What is asked in one turn. */
export interface Prompt {
  /** Sent first, with the role `system`. */
  readonly instructions?: string;
  /** The conversation so far, oldest first. */
  readonly input: readonly ResponseItem[];
}

/** A message of the user. */
export function userMessage(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** A message that the assistant wrote earlier. */
export function assistantMessage(text: string): MessageItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}
