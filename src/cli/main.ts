import type { Readable, Writable } from 'node:stream';
import { from, lastValueFrom, toArray } from 'rxjs';
import type { CompletedEvent, ResponseEvent } from '../turn/events.js';
import { iterateChatCompletions } from '../iterate-chat-completions.js';
import { aggregate } from '../operators/aggregate.js';
import { isTextDelta } from '../turn/is-text-delta.js';
import { type Prompt, userMessage } from '../prompt/prompt.js';
import { help, parseArguments, type TurnArguments, UsageError } from './arguments.js';
import { configure, type Configuration } from './configuration.js';
import { type MaybeTerminal, outlet, type Outlet } from './outlet.js';
import { packageVersion } from './package-version.js';
import { oneLine, printable, printableJson } from './printable.js';
import { serve } from './serve.js';
import { statusLine, type StatusLine } from './status-line.js';
import { explain, retryNotice, summary } from './wording.js';

/** What the command stands on: the process, or a test. */
export interface CliIo {
  readonly stdin: MaybeTerminal<Readable>;
  readonly stdout: MaybeTerminal<Writable>;
  readonly stderr: MaybeTerminal<Writable>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that was run. */
  readonly entry: string;
  /** Ctrl-C. */
  readonly interrupt: AbortSignal;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** As shells have it: 128 and the number of SIGINT. */
const interrupted = 130;

/**
 * The command.
 *
 * @param argv - the arguments, without those of Node itself
 * @returns the exit status; never rejects
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const stop = new AbortController();
  if (io.interrupt.aborted) return interrupted;
  io.interrupt.addEventListener('abort', () => stop.abort());
  const stdout = outlet(io.stdout, stop.signal, () => stop.abort());
  const stderr = outlet(io.stderr, io.interrupt);
  const status = statusLine(
    (text) => void stderr.write(text),
    io.stderr.isTTY === true && io.env['TERM'] !== 'dumb',
  );

  let code: number;
  try {
    code = await run(argv, { io, stdout, status, stop: stop.signal });
  } catch (error) {
    code = failed(error, status);
  }
  status.clear();
  await Promise.all([stdout.flush(), stderr.flush()]);

  if (io.interrupt.aborted) return interrupted;
  const { failure } = stdout;
  if (failure === undefined) return code;
  // Whoever reads has seen enough (`| head`).
  if (failure.code === 'EPIPE') return 0;
  status.note(
    `Error: The output cannot be written${failure.code === undefined ? '' : ` (${failure.code})`}.`,
  );
  await stderr.flush();
  return 1;
}

interface Session {
  readonly io: CliIo;
  readonly stdout: Outlet;
  readonly status: StatusLine;
  /** Ctrl-C, or nobody reads the output any more. */
  readonly stop: AbortSignal;
}

function failed(error: unknown, status: StatusLine, baseUrl?: string): number {
  status.clear();
  status.note(`Error: ${explain(error, baseUrl)}`);
  if (!(error instanceof UsageError)) return 1;
  status.note('See rxjs-chat-completions --help.');
  return 2;
}

async function run(argv: readonly string[], session: Session): Promise<number> {
  const { io, stdout, stop } = session;
  const args = parseArguments(argv);
  if (args.command === 'help') {
    await stdout.write(help);
    return 0;
  }
  if (args.command === 'version') {
    await stdout.write(`${oneLine(packageVersion(io.entry) ?? 'unknown')}\n`);
    return 0;
  }
  if (args.command === 'mock') return serve(args, session);
  const text = args.prompt ?? (await readPrompt(io.stdin, stop));
  if (stop.aborted) return interrupted;

  const configuration = await configure(args, io.env);
  try {
    return await runTurn(text, args, configuration, session);
  } finally {
    await configuration.close();
  }
}

async function readPrompt(stdin: CliIo['stdin'], stop: AbortSignal): Promise<string> {
  if (stdin.isTTY === true) throw new UsageError('Give a prompt, as an argument or on stdin.');
  const leave = () => stdin.destroy();
  stop.addEventListener('abort', leave);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    stop.removeEventListener('abort', leave);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '' && !stop.aborted)
    throw new UsageError('The prompt is empty: give one as an argument or on stdin.');
  return text.replace(/\r?\n$/, '');
}

async function runTurn(
  text: string,
  args: TurnArguments,
  { options, isEmbedded }: Configuration,
  { io, stdout, status, stop }: Session,
): Promise<number> {
  const prompt: Prompt = {
    input: [userMessage(text)],
    ...(args.system !== undefined && { instructions: args.system }),
  };
  let malformed = 0;
  const turn = start(prompt, {
    ...options,
    diagnostics: ({ type }) => {
      if (type === 'malformed') malformed += 1;
    },
  });
  if (isEmbedded) {
    status.note(
      'The embedded mock provider answers. ' +
        'To ask a model, set OPENAI_API_KEY, or use --provider or --base-url.',
    );
  }
  const leave = () => void turn.return?.();
  stop.addEventListener('abort', leave);
  if (stop.aborted) leave();

  const print = args.json ? jsonPrinter(stdout) : textPrinter(stdout, io.stdout.isTTY === true);
  const held: ResponseEvent[] = [];
  let completed: CompletedEvent | undefined;
  const startedAt = io.now();
  status.wait();
  try {
    for await (const event of { [Symbol.asyncIterator]: () => turn }) {
      if (event.type === 'retrying') status.note(retryNotice(event));
      else if (!args.aggregate) status.clear();
      if (event.type === 'completed') completed = event;
      if (args.aggregate && event.type !== 'retrying') held.push(event);
      else await print.event(event);
    }
    status.clear();
    for (const event of await aggregated(held)) await print.event(event);
    await print.end();
    if (malformed > 0) {
      const what =
        malformed === 1 ? '1 event was not JSON and was' : `${malformed} events were not JSON and were`;
      status.note(`${what} skipped.`);
    }
    if (completed === undefined) return interrupted;
    status.note(summary(completed, io.now() - startedAt));
    if (completed.finishReason !== null || completed.endedBy === 'done') return 0;
    status.note('Error: The stream ended without a finish reason or [DONE]: the answer is incomplete.');
    return 1;
  } catch (error) {
    await print.end();
    return failed(error, status, options.provider.baseUrl);
  } finally {
    stop.removeEventListener('abort', leave);
  }
}

const aggregated = (events: readonly ResponseEvent[]) =>
  lastValueFrom(from(events).pipe(aggregate(), toArray()), { defaultValue: [] });

/** An argument that the library refuses is one of the command line. */
function start(...args: Parameters<typeof iterateChatCompletions>): AsyncIterator<ResponseEvent> {
  try {
    return iterateChatCompletions(...args)[Symbol.asyncIterator]();
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}

interface Printer {
  event(event: ResponseEvent): Promise<void>;
  /** Ends the last line. */
  end(): Promise<void>;
}

function textPrinter(stdout: Outlet, isTerminal: boolean): Printer {
  const clean = isTerminal ? printable() : (text: string) => text;
  let last = '\n';
  const write = async (text: string) => {
    if (text === '') return;
    last = text;
    await stdout.write(text);
  };
  return {
    event: async (event) => {
      if (isTextDelta(event)) await write(clean(event.item.content[0].text));
    },
    end: async () => {
      if (!last.endsWith('\n')) await write('\n');
    },
  };
}

function jsonPrinter(stdout: Outlet): Printer {
  return {
    event: (event) => stdout.write(`${toJson(event)}\n`),
    end: async () => {},
  };
}

function toJson(event: ResponseEvent): string {
  const { error } = event as { error?: Error };
  const plain =
    error === undefined
      ? event
      : { ...event, error: Object.assign({}, error, { name: error.name, message: error.message }) };
  return printableJson(plain);
}
