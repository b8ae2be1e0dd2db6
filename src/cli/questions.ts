import { createInterface } from 'node:readline';
import { linesOf } from './stdin.js';
import type { Session } from './session.js';

/** Ends a conversation, like the end of stdin. */
const exit = '/exit';

/**
 * The questions of a conversation, read on demand: typed at a terminal, or the lines of a file or pipe. Blank lines are
 * skipped.
 */
export async function* questionsOf(
  first: string | undefined,
  { io, stop }: Session,
): AsyncGenerator<string, undefined> {
  if (first !== undefined) yield first;
  const lines = isInteractive(io) ? typedLines(io, stop, first) : linesOf(io.stdin, stop);
  for await (const line of lines) {
    const question = line.trim();
    if (question === exit) return undefined;
    if (question !== '') yield line;
  }
  return undefined;
}

/** Whether a user types at a terminal. The prompt and its line are on stderr, so stdout has only answers. */
export const isInteractive = ({ stdin, stderr, env }: Session['io']): boolean =>
  stdin.isTTY === true && stderr.isTTY === true && env['TERM'] !== 'dumb';

/**
 * Lines edited at a terminal, with earlier ones on the up arrow. Ends at Ctrl-D, and at Ctrl-C, which first clears a
 * line that was begun.
 *
 * The terminal is raw only while a line is edited: while an answer streams, Ctrl-C is a signal, and the
 * terminal is left as it was whatever happens. Pasted and typed-ahead lines are kept.
 */
async function* typedLines(
  { stdin, stderr }: Session['io'],
  stop: AbortSignal,
  first: string | undefined,
): AsyncGenerator<string, undefined> {
  const waiting: string[] = [];
  let history = first === undefined ? [] : [first];
  let begun = '';

  const edit = () =>
    new Promise<void>((resolve) => {
      const editor = createInterface({
        input: stdin,
        output: stderr,
        terminal: true,
        prompt: '> ',
        history,
        removeHistoryDuplicates: true,
        signal: stop,
      });
      editor
        .on('history', (lines: string[]) => (history = [...lines]))
        .on('line', (line) => {
          // Pasted lines arrive at once.
          if (waiting.push(line) === 1) queueMicrotask(() => editor.close());
        })
        .on('SIGINT', () => {
          if (editor.line === '') {
            editor.close();
            return;
          }
          editor.write(null, { ctrl: true, name: 'e' });
          editor.write(null, { ctrl: true, name: 'u' });
        })
        .once('close', () => {
          begun = editor.line;
          if (waiting.length === 0) stderr.write('\n');
          resolve();
        });
      editor.prompt();
      if (begun !== '') editor.write(begun);
    });

  for (;;) {
    if (waiting.length === 0) await edit();
    const line = waiting.shift();
    if (line === undefined || stop.aborted) return undefined;
    yield line;
  }
}
