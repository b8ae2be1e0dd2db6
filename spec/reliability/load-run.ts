import { fork } from 'node:child_process';
import { once } from 'node:events';
import { subjects } from './fault-matrix.js';
import { type LoadProvider, runLoad } from './load.js';

/** The turns of a load, in a process of their own: name of the transport, number, the provider's module. */
const [name, turns, providerModule = ''] = process.argv.slice(2);

async function forkProvider(): Promise<LoadProvider> {
  const child = fork(providerModule);
  const [baseUrl] = (await once(child, 'message')) as [string];
  return {
    baseUrl,
    goOn: () => void child.send('go on'),
    close: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function run() {
  const subject = subjects.find((one) => one.name === name);
  if (subject === undefined) throw new Error(`no transport ${name}`);
  subject.prepare?.();
  const transport = subject.transport();
  // What the platform loads once is there before the memory is looked at.
  for (const count of [20, Number(turns)]) {
    const peer = await forkProvider();
    const load = await runLoad(count, transport, peer);
    await peer.close();
    if (count === Number(turns)) process.send?.(load);
  }
  process.disconnect();
}

void run();
