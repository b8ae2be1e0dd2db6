import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { type SchedulerLike, Subject } from 'rxjs';
import type { CliIo } from '../../src/cli/session.js';

/** Keeps what is written to it. */
export class Capture extends Writable {
  readonly isTTY: boolean;
  columns: number | undefined = 40;
  text = '';

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _: BufferEncoding, written: (error?: Error | null) => void): void {
    this.text += chunk;
    this.emit('text');
    written();
  }

  /** Settles when the text holds this, so many times. */
  async until(part: string, times = 1): Promise<void> {
    while (this.text.split(part).length <= times) await new Promise((resolve) => this.once('text', resolve));
  }
}

export interface FakeIo extends CliIo {
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly interrupts: Subject<void>;
}

export interface FakeIoOptions {
  /** A text, or a stream under the spec's control. */
  readonly stdin?: string | Readable;
  readonly env?: CliIo['env'];
  /** Which streams are terminals. */
  readonly terminals?: readonly ('stdin' | 'stdout' | 'stderr')[];
  readonly scheduler?: SchedulerLike;
}

/** Streams in memory, an empty environment, and a clock on which a turn takes 1,500 ms. */
export function fakeIo({ stdin = '', env = {}, terminals = [], scheduler }: FakeIoOptions = {}): FakeIo {
  let time = 0;
  return {
    stdin: Object.assign(typeof stdin === 'string' ? Readable.from([stdin]) : stdin, {
      isTTY: terminals.includes('stdin'),
    }),
    stdout: new Capture(terminals.includes('stdout')),
    stderr: new Capture(terminals.includes('stderr')),
    env,
    entry: join(__dirname, '../../src/cli/index.ts'),
    interrupts: new Subject(),
    now: () => (time += 1_500) - 1_500,
    ...(scheduler && { scheduler }),
  };
}
