import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { CliIo } from '../../src/cli/main.js';

/** Keeps what is written to it. */
export class Capture extends Writable {
  readonly isTTY: boolean;
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

  /** Settles when the text holds this. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) await new Promise((resolve) => this.once('text', resolve));
  }
}

export interface FakeIo extends CliIo {
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly controller: AbortController;
}

export interface FakeIoOptions {
  readonly stdin?: string;
  readonly env?: CliIo['env'];
  /** Which streams are terminals. */
  readonly terminals?: readonly ('stdin' | 'stdout' | 'stderr')[];
}

/** Streams in memory, an empty environment, and a clock on which a turn takes 1,500 ms. */
export function fakeIo({ stdin = '', env = {}, terminals = [] }: FakeIoOptions = {}): FakeIo {
  const controller = new AbortController();
  let time = 0;
  return {
    stdin: Object.assign(Readable.from([stdin]), { isTTY: terminals.includes('stdin') }),
    stdout: new Capture(terminals.includes('stdout')),
    stderr: new Capture(terminals.includes('stderr')),
    env,
    entry: join(__dirname, '../../src/cli/index.ts'),
    controller,
    interrupt: controller.signal,
    now: () => (time += 1_500) - 1_500,
  };
}
