import { createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import type { MockAnswer } from './mock-answer.js';
import type { Step } from './completion.js';

const compressors = { gzip: createGzip, deflate: createDeflate, br: createBrotliCompress } as const;

/** The steps of a body, compressed and flushed one by one, so that each arrives separately. */
export async function* compressed(
  steps: AsyncIterable<Step>,
  encoding: NonNullable<MockAnswer['encoding']>,
): AsyncGenerator<Step, void, undefined> {
  const compressor = compressors[encoding]();
  let output: Uint8Array[] = [];
  compressor.on('data', (bytes: Uint8Array) => output.push(bytes));
  const taken = (): Uint8Array => {
    const bytes = Buffer.concat(output);
    output = [];
    return bytes;
  };
  try {
    for await (const step of steps) {
      if (step instanceof Uint8Array) {
        compressor.write(step);
        await new Promise<void>((resolve) => compressor.flush(resolve));
        yield taken();
      } else yield step;
    }
    await new Promise<void>((resolve) => compressor.once('end', resolve).end());
    yield taken();
  } finally {
    compressor.destroy();
  }
}
