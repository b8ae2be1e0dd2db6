import { createInterface } from 'node:readline';
import { linesOf } from './stdin.js';
import type { Session } from './session.js';

/** What ends a conversation, as does the end of stdin. */
const exit = '/exit';

/**
 * The questions of a conversation, each read when it is asked for: typed at a terminal, or the lines of a file or a
 * pipe. Blank ones are left out.
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

/** Whether somebody types, and sees it: the prompt and its line stand on stderr, so that stdout holds answers alone. */
export const isInteractive = ({ stdin, stderr, env }: Session['io']): boolean =>
  stdin.isTTY === true && stderr.isTTY === true && env['TERM'] !== 'dumb';

/**
 * Lines as they are edited at a terminal, with the earlier ones behind the arrow up. Ends at Ctrl-D, and at Ctrl-C,
 * which clears a line that was begun.
 *
 * The terminal is raw only while a line is edited: while an answer streams, Ctrl-C is a signal, and whatever happens
 * leaves the terminal as it was. What was pasted or typed ahead is kept.
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
          // Several come at once where they were pasted.
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
