import { ChatCompletionsError, type UnexpectedStatusError } from 'rxjs-chat-completions';
import type { ChatMessage } from 'rxjs-chat-completions/angular';

/** A conversation as a reload finds it. */
export interface KeptChat {
  readonly messages: readonly ChatMessage[];
  /** The conversation's name, and the question that it was named after. */
  readonly name?: { readonly question: string; readonly text: string } | undefined;
}

const key = 'chat';

/** Keeps it for this tab alone. A full or a forbidden storage keeps nothing. */
export function keepChat(chat: KeptChat): void {
  try {
    if (chat.messages.length === 0) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(chat, withoutDetails));
  } catch {
    // The chat goes on without.
  }
}

/** What was kept; an empty chat where that is nothing, or cannot be read. */
export function keptChat(): KeptChat {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? '{}', revived) as Partial<KeptChat> | null;
    return { messages: kept?.messages ?? [], name: kept?.name };
  } catch {
    return { messages: [] };
  }
}

/** The error of an answer that was kept: its class and its status say what a user is told. */
class KeptError extends ChatCompletionsError {
  constructor(
    override readonly name: string,
    readonly status: number | undefined,
  ) {
    super(`An earlier answer failed: ${name}.`);
  }
}

function withoutDetails(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { keptError: value.name, status: (value as Partial<UnexpectedStatusError>).status };
}

function revived(_: string, value: unknown): unknown {
  const { keptError: name, status } = (value ?? {}) as { keptError?: string; status?: number };
  return name === undefined ? value : new KeptError(name, status);
}
