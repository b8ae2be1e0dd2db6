import { PassThrough, Readable } from 'node:stream';
import { VirtualTimeScheduler } from 'rxjs';
import { parseArguments } from '../../src/cli/arguments.js';
import { UsageError } from '../../src/cli/parse-options.js';
import { linesOf, maxStdin, promptOf, stdinWait } from '../../src/cli/stdin.js';

interface Outcome {
  readonly prompts: string[];
  readonly end: unknown;
}

/** Reads the prompt of a command line; the promise settles with what came of it. */
function reading(argv: readonly string[], stdin: Readable & { isTTY?: boolean }) {
  const args = parseArguments(argv);
  if (args.command !== 'turn') throw new Error('no turn');
  const scheduler = new VirtualTimeScheduler();
  const stop = new AbortController();
  const silences: number[] = [];
  const outcome = new Promise<Outcome>((resolve) => {
    const prompts: string[] = [];
    promptOf(args, {
      stdin,
      scheduler,
      stop: stop.signal,
      onSilence: () => silences.push(scheduler.frame),
    }).subscribe({
      next: (prompt) => prompts.push(prompt),
      error: (end: unknown) => resolve({ prompts, end }),
      complete: () => resolve({ prompts, end: 'complete' }),
    });
  });
  return { outcome, scheduler, stop, silences };
}

const read = (argv: readonly string[], stdin: string) => reading(argv, Readable.from([stdin])).outcome;

const one = (prompt: string): Outcome => ({ prompts: [prompt], end: 'complete' });

const terminal = () => Object.assign(new PassThrough(), { isTTY: true });

describe('the prompt', () => {
  it('is the argument, a blank line and stdin, without the line feed at its end', async () => {
    expect(await read(['Summarise', 'this'], 'a\n\nb\r\n')).toEqual(one('Summarise this\n\na\n\nb'));
  });

  it('is the argument where stdin is blank', async () => {
    expect(await read(['Hi'], '')).toEqual(one('Hi'));
    expect(await read(['Hi'], ' \n')).toEqual(one('Hi'));
  });

  it('is stdin where there is no argument, or one that is blank', async () => {
    expect(await read([], 'a\n')).toEqual(one('a'));
    expect(await read([' '], 'a\n')).toEqual(one('a'));
  });

  it('is put together across reads, inside characters too, and without a byte order mark', async () => {
    const stdin = new PassThrough();
    const { outcome } = reading(['Hi'], stdin);
    const bytes = Buffer.from('\ufeffGrüße');
    stdin.write(bytes.subarray(0, 6));
    stdin.end(bytes.subarray(6));
    expect(await outcome).toEqual(one('Hi\n\nGrüße'));
  });

  it('is the argument at a terminal, which is not read', async () => {
    const stdin = terminal();
    expect(await reading(['Hi'], stdin).outcome).toEqual(one('Hi'));
    expect([stdin.listenerCount('data'), stdin.destroyed]).toEqual([0, false]);
  });

  it.each([[['--demo']], [['--replay', 'file']], [['--replay', 'file', 'Hi']], [['--chat']]])(
    'is not on stdin with %j',
    async (argv) => {
      const stdin = new PassThrough();
      expect((await reading(argv, stdin).outcome).end).toBe('complete');
      expect(stdin.listenerCount('data')).toBe(0);
    },
  );

  it('may be typed where - asks for it', async () => {
    const stdin = terminal();
    const { outcome } = reading(['Hi', '-'], stdin);
    stdin.end('typed\n');
    expect(await outcome).toEqual(one('Hi\n\ntyped'));
  });

  it('holds a - that is not its last word', async () => {
    expect(await read(['5', '-', '3'], '')).toEqual(one('5 - 3'));
  });
});

describe('a pipe that nobody writes to', () => {
  it('is given up after 3 s where the prompt is an argument, and that is told', async () => {
    const stdin = new PassThrough();
    const { outcome, scheduler, silences } = reading(['Hi'], stdin);
    scheduler.flush();
    expect(await outcome).toEqual(one('Hi'));
    expect([silences, stdinWait, stdin.destroyed]).toEqual([[3_000], 3_000, true]);
    expect(() => stdin.emit('error', new Error('late'))).not.toThrow();
  });

  it('is waited for, however long, once something has come', async () => {
    const stdin = new PassThrough();
    const { outcome, scheduler, silences } = reading(['Hi'], stdin);
    stdin.write('a');
    await new Promise((resolve) => setImmediate(resolve));
    scheduler.flush();
    stdin.end('b');
    expect([await outcome, silences]).toEqual([one('Hi\n\nab'), []]);
  });

  it.each([[[]], [['-']], [['Hi', '-']]])('is waited for, however long, with %j', async (argv) => {
    const stdin = new PassThrough();
    const { outcome, scheduler, silences } = reading(argv, stdin);
    scheduler.flush();
    stdin.end('late');
    expect([(await outcome).end, silences]).toEqual(['complete', []]);
  });

  it('is left when it is stopped, without a prompt', async () => {
    for (const argv of [[], ['Hi']]) {
      const stdin = new PassThrough();
      const { outcome, stop } = reading(argv, stdin);
      stop.abort();
      expect([await outcome, stdin.destroyed]).toEqual([{ prompts: [], end: 'complete' }, true]);
    }
  });
});

describe('there is no prompt', () => {
  it('at a terminal without an argument', async () => {
    expect((await reading([], terminal()).outcome).end).toBeInstanceOf(UsageError);
  });

  it.each([[[]], [['-']], [['Hi', '-']]])('where stdin is blank and asked for, with %j', async (argv) => {
    const { prompts, end } = await read(argv, ' \n');
    expect(prompts).toEqual([]);
    expect(end).toBeInstanceOf(UsageError);
  });

  it('where stdin is too large, or cannot be read', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(maxStdin / 4, 'x');
      })(),
    );
    expect((await reading(['Hi'], endless).outcome).end).toEqual(new Error('stdin is larger than 8 MiB.'));
    expect(endless.destroyed).toBe(true);
    const directory = new Readable({
      read() {
        this.destroy(Object.assign(new Error('EISDIR: …'), { code: 'EISDIR' }));
      },
    });
    expect((await reading(['Hi'], directory).outcome).end).toEqual(
      new Error('Could not read stdin (EISDIR).'),
    );
  });
});

describe('linesOf', () => {
  async function linesIn(...chunks: string[]): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of linesOf(Readable.from(chunks), new AbortController().signal)) lines.push(line);
    return lines;
  }

  it('gives each line without its end, the last one too', async () => {
    expect(await linesIn('a\nb', 'c\r', '\n\nd')).toEqual(['a', 'bc', '', 'd']);
    expect(await linesIn('a\n')).toEqual(['a']);
    expect(await linesIn()).toEqual([]);
  });

  it('reads no further than it is asked to', async () => {
    let given = 0;
    const stdin = Readable.from(
      (function* () {
        for (; given < 1_000; given += 1) yield 'a\n';
      })(),
      { highWaterMark: 1 },
    );
    const lines = linesOf(stdin, new AbortController().signal);
    await lines.next();
    expect(given).toBeLessThan(10);
    await lines.return(undefined);
    expect(stdin.destroyed).toBe(true);
  });

  it('ends where it is stopped, and fails where the stream does', async () => {
    const stop = new AbortController();
    const lines = linesOf(new PassThrough(), stop.signal);
    const next = lines.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await linesOf(new PassThrough(), stop.signal).next()).toEqual({ done: true, value: undefined });

    const broken = new PassThrough();
    const failing = linesOf(broken, new AbortController().signal).next();
    broken.destroy(Object.assign(new Error('EIO'), { code: 'EIO' }));
    await expect(failing).rejects.toThrow('Could not read stdin (EIO).');
  });
});
