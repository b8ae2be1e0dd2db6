import type { ResponseEvent, TurnState } from 'rxjs-chat-completions';
import type { Happening } from './run.js';

/** What came out in words: its time, and what it was. It is the picture for those who cannot see it. */
export type Line = readonly [frame: number, what: string];

export const linesOf = (happened: readonly Happening[]): readonly Line[] =>
  happened.map((each): Line => {
    if (each.kind === 'N') return [each.frame, inWords(each.value)];
    return [each.frame, each.kind === 'C' ? 'complete' : errorIn(each.error)];
  });

const errorIn = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

function inWords(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if ('type' in value) return eventIn(value as ResponseEvent);
  if ('turn' in value) {
    const { status, turn } = value as TurnState;
    return `${status} ${JSON.stringify(turn.text)}`;
  }
  const { status, text } = value as { readonly status: string; readonly text: string };
  return `${status} ${JSON.stringify(text)}`;
}

function eventIn(event: ResponseEvent): string {
  switch (event.type) {
    case 'output_item_done': {
      const { item } = event;
      const content = 'content' in item ? item.content : [];
      const text = content.map((part) => ('text' in part ? part.text : '')).join('');
      return `${event.type} ${item.type} ${JSON.stringify(text)}`;
    }
    case 'completed': {
      const { finishReason, endedBy, stopped } = event;
      const end = endedBy === undefined ? '' : `, endedBy: ${endedBy}`;
      return `completed, finishReason: ${String(finishReason)}${end}${stopped ? ', stopped' : ''}`;
    }
    case 'retrying':
    case 'restarting':
      return `${event.type}, attempt: ${event.attempt}, delay: ${event.delay}, ${event.error.name}`;
    default:
      return event.type;
  }
}
