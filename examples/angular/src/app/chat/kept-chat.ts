import type { Run } from 'rxjs-chat-completions';

/** A conversation as a reload finds it. */
export interface KeptChat {
  readonly exchanges: readonly KeptExchange[];
  /** The turn of the last exchange that is going on. */
  readonly turnId?: string;
}

export interface KeptExchange {
  readonly id: number;
  readonly question: string;
  /** Up to the turn that is going on. */
  readonly run: Run;
}

const name = 'chat';

/** Keeps it for this tab alone. A full or a forbidden storage keeps nothing. */
export function keepChat(chat: KeptChat): void {
  try {
    sessionStorage.setItem(name, JSON.stringify(chat));
  } catch {
    // The chat goes on without.
  }
}

export function keptChat(): KeptChat | undefined {
  try {
    // Written by this page alone.
    return (JSON.parse(sessionStorage.getItem(name) ?? 'null') as KeptChat | null) ?? undefined;
  } catch {
    return undefined;
  }
}
