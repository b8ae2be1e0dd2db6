import { Subject } from 'rxjs';
import type { Transport } from '../../src/index.js';
import type { ScriptedAnswer } from '../../src/testing/index.js';
import { type ContractSubject, type Peer, tick } from '../request/transport-contract.js';

/** One answer in memory, and the peer that plays it. */
export function inMemory() {
  const headers = new Subject<string>();
  const body = new Subject<string>();
  let status = 200;
  const peer: Omit<Peer, 'aborted'> = {
    headers: (given = 200) => {
      status = given;
      headers.next('r');
    },
    write: (text) => body.next(text),
    end: () => body.complete(),
    cut: () => body.error(new Error('cut')),
  };
  const answer: ScriptedAnswer = {
    after: headers,
    body,
    get status() {
      return status;
    },
  };
  return { answer, headers, body, peer };
}

/** What the contract tests a transport in memory with: its answers are played in order. */
export function inMemorySubject(
  transport: Transport,
  lines: readonly ReturnType<typeof inMemory>[],
  abortedCount: () => number,
): ContractSubject {
  let next = 0;
  let open = true;
  return {
    transport,
    url: 'http://in.memory',
    deadUrl: 'http://in.memory',
    arrival: () => {
      const line = lines[next];
      next += 1;
      if (line === undefined) throw new Error('no more answers');
      const aborted = (async () => {
        while (open && abortedCount() === 0) await tick();
      })();
      return Promise.resolve({ ...line.peer, aborted });
    },
    abortedCount,
    close: () => {
      open = false;
      return Promise.resolve();
    },
  };
}
