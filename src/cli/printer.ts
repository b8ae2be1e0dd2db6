import type { Writable } from 'node:stream';
import type { ResponseEvent, ResponseItem } from '../turn/events.js';
import { isCall } from '../turn/is-call.js';
import type { MaybeTerminal, Outlet } from './outlet.js';
import { fitting, printable, printableJson } from './printable.js';

/** How the events of one turn are shown. */
export interface Printer {
  event(event: ResponseEvent): Promise<void>;
  /** Ends the last line. */
  end(): Promise<void>;
}

export interface PrinterIo {
  readonly stdout: Outlet;
  readonly stderr: Outlet;
  readonly io: {
    readonly stdout: MaybeTerminal<Writable>;
    readonly stderr: MaybeTerminal<Writable>;
    readonly env: Readonly<Record<string, string | undefined>>;
  };
}

/** Columns of a tool call's line if the terminal's width is unknown. */
const defaultColumns = 200;

/**
 * Prints only the answer to stdout; tool calls and, if wanted, reasoning to stderr. Each write of dimmed text resets the
 * style, so the terminal is left as it was wherever the command ends.
 */
export function textPrinter({ stdout, stderr, io }: PrinterIo, showReasoning: boolean): Printer {
  const isTerminal = io.stdout.isTTY === true;
  const cleanAnswer = isTerminal ? printable() : (text: string) => text;
  const cleanReasoning = printable();
  const dimmed = hasStyles(io) ? (text: string) => `\u001b[2m${text}\u001b[22m` : (text: string) => text;
  // The last text written to each stream.
  let answer = '\n';
  let reasoning: string | undefined;

  async function writeAnswer(added: string): Promise<void> {
    const text = cleanAnswer(added);
    if (text === '') return;
    await endReasoning('\n');
    answer = text;
    await stdout.write(text);
  }

  async function writeReasoning(added: string): Promise<void> {
    const text = cleanReasoning(added);
    if (text === '') return;
    await breakAnswer();
    reasoning = text;
    await stderr.write(dimmed(text));
  }

  /** If both appear on one terminal, output to stderr begins a new line. */
  async function breakAnswer(): Promise<void> {
    if (!isTerminal || answer.endsWith('\n')) return;
    answer = '\n';
    await stdout.write('\n');
  }

  async function endReasoning(blankLine: '' | '\n'): Promise<void> {
    if (reasoning === undefined) return;
    const end = `${reasoning.endsWith('\n') ? '' : '\n'}${blankLine}`;
    reasoning = undefined;
    if (end !== '') await stderr.write(end);
  }

  async function writeCall(item: ResponseItem): Promise<void> {
    const call = callOf(item);
    if (call === undefined) return;
    await endReasoning('');
    await breakAnswer();
    await stderr.write(`${fitting(`Tool call: ${call}`, io.stderr.columns ?? defaultColumns)}\n`);
  }

  return {
    event: async (event) => {
      if (event.type !== 'output_item_done') return;
      const { item } = event;
      if (isCall(event)) return writeCall(item);
      if (item.type === 'reasoning') {
        if (showReasoning) await writeReasoning(item.content.map(({ text }) => text).join(''));
        return;
      }
      if (item.type === 'message' && item.role === 'assistant') await writeAnswer(answerOf(item.content));
    },
    end: async () => {
      await endReasoning('');
      if (answer.endsWith('\n')) return;
      answer = '\n';
      await stdout.write('\n');
    },
  };
}

/** The events unchanged, one per line. */
export const jsonPrinter = ({ stdout }: PrinterIo): Printer => ({
  event: (event) => stdout.write(`${toJson(event)}\n`),
  end: async () => {},
});

function answerOf(content: Extract<ResponseItem, { type: 'message' }>['content']): string {
  return content
    .map((part) => (part.type === 'output_text' ? part.text : part.type === 'refusal' ? part.refusal : ''))
    .join('');
}

function callOf(item: ResponseItem): string | undefined {
  if (item.type === 'function_call') return `${item.name} ${item.arguments}`;
  return item.type === 'custom_tool_call' ? `${item.name} ${item.input}` : undefined;
}

/** Whether stderr shows styles: a terminal that is not dumb, unless NO_COLOR (no-color.org) says otherwise. */
const hasStyles = ({ stderr, env }: PrinterIo['io']): boolean =>
  stderr.isTTY === true && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';

function toJson(event: ResponseEvent): string {
  const { error } = event as { error?: Error };
  const plain =
    error === undefined
      ? event
      : { ...event, error: Object.assign({}, error, { name: error.name, message: error.message }) };
  return printableJson(plain);
}
