import { lastValueFrom, take } from 'rxjs';
import { userMessage } from '../prompt/prompt.js';
import { parseArguments, type TurnArguments } from './arguments.js';
import { ask, checkOptions } from './ask.js';
import { chat } from './chat.js';
import { configure } from './configuration.js';
import { help } from './help.js';
import { outlet } from './outlet.js';
import { packageVersion } from './package-version.js';
import { UsageError } from './parse-options.js';
import { oneLine } from './printable.js';
import { serve } from './serve.js';
import type { CliIo, Session } from './session.js';
import { promptOf, stdinWait } from './stdin.js';
import { statusLine, type StatusLine } from './status-line.js';
import { type Asked, explain } from './wording.js';

/** The shell convention: 128 plus the number of SIGINT. */
const interrupted = 130;

/**
 * The command.
 *
 * @param argv - the arguments, without Node's own
 * @returns the exit status; never rejects
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const stop = new AbortController();
  const interruption = new AbortController();
  const leave = () => {
    interruption.abort();
    stop.abort();
  };
  const stdout = outlet(io.stdout, stop.signal, () => stop.abort());
  const stderr = outlet(io.stderr, interruption.signal);
  const status = statusLine(
    (text) => void stderr.write(text),
    io.stderr.isTTY === true && io.env['TERM'] !== 'dumb',
  );

  let code: number;
  try {
    code = await run(argv, { io, stdout, stderr, status, stop: stop.signal, leave });
  } catch (error) {
    code = failed(error, status);
  }
  status.clear();
  await Promise.all([stdout.flush(), stderr.flush()]);

  if (interruption.signal.aborted) return interrupted;
  const { failure } = stdout;
  if (failure === undefined) return code;
  // The reader has closed the pipe (`| head`).
  if (failure.code === 'EPIPE') return 0;
  status.note(`Error: Could not write to stdout${failure.code === undefined ? '' : ` (${failure.code})`}.`);
  await stderr.flush();
  return 1;
}

function failed(error: unknown, status: StatusLine, asked?: Asked): number {
  status.clear();
  status.note(`Error: ${explain(error, asked)}`);
  if (!(error instanceof UsageError)) return 1;
  status.note('Try rxjs-chat-completions --help.');
  return 2;
}

async function run(argv: readonly string[], session: Session): Promise<number> {
  const { io, stdout, leave } = session;
  const args = parseArguments(argv);
  if (args.command === 'help') {
    await stdout.write(help);
    return 0;
  }
  if (args.command === 'version') {
    await stdout.write(`${oneLine(packageVersion(io.entry) ?? 'unknown')}\n`);
    return 0;
  }
  if (args.command === 'turn' && args.chat) return turn(args, session);
  // Once: a second Ctrl-C ends the process, whatever the first one is waiting for.
  const interrupts = io.interrupts.pipe(take(1)).subscribe({ next: leave, error: leave });
  try {
    return await (args.command === 'mock' ? serve(args, session) : turn(args, session));
  } finally {
    interrupts.unsubscribe();
  }
}

async function turn(args: TurnArguments, session: Session): Promise<number> {
  const { io, status, stop } = session;
  const onSilence = () =>
    status.note(
      `No input on stdin for ${stdinWait / 1_000} s: sending the prompt alone. Add - to wait for stdin, or < /dev/null to skip it.`,
    );
  const prompt = args.chat
    ? ''
    : await lastValueFrom(promptOf(args, { ...io, stop, onSilence }), { defaultValue: '' });
  if (stop.aborted) return interrupted;

  const { options, isEmbedded, close } = await configure(args, io.env);
  try {
    checkOptions(options);
    if (isEmbedded)
      status.note(
        'This answer comes from the embedded mock provider. ' +
          'To use a real model, set OPENAI_API_KEY, --provider or --base-url.',
      );
    if (args.chat) return await chat(args, options, session);
    const { end, error } = await ask([userMessage(prompt)], args, options, session);
    if (end === 'failed') return failed(error, status, options.provider);
    return { complete: 0, incomplete: 1, stopped: interrupted }[end];
  } catch (error) {
    return failed(error, status, options.provider);
  } finally {
    await close();
  }
}
