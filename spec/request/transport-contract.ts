import { EMPTY, firstValueFrom, type Observable, Subject, type Subscription } from 'rxjs';
import type { HttpRequest, HttpResponse, Transport } from '../../src/index.js';

/** The other end of one request, played by hand. */
export interface Peer {
  readonly headers: (status?: number) => void;
  readonly write: (text: string) => void;
  readonly end: () => void;
  /** Breaks the connection in the middle of the body. */
  readonly cut: () => void;
  /** Settles once the client has left before the body was complete. */
  readonly aborted: Promise<unknown>;
}

/** What a transport is tested with: an address, and the peers of the requests as they arrive. */
export interface ContractSubject {
  readonly transport: Transport;
  readonly url: string;
  /** The peer of the next request; the transport's promise or tick has been waited for. */
  readonly arrival: () => Promise<Peer>;
  /** An address at which nobody answers, where the transport has addresses. */
  readonly deadUrl: string;
  /** How many requests have been aborted; asked after the peers are done. */
  readonly abortedCount: () => number;
  readonly close: () => Promise<void>;
}

/** One turn of the event loop. */
export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Notification = string | { readonly status: number } | { readonly error: string };

/** Everything an Observable says, in order, and a way to wait for the next thing. */
function record<T>(source: Observable<T>, label: (value: T) => Notification, onNext?: (value: T) => void) {
  const log: Notification[] = [];
  const changed = new Subject<void>();
  const subscription: Subscription = source.subscribe({
    next: (value) => {
      log.push(label(value));
      onNext?.(value);
      changed.next();
    },
    error: (error: unknown) => {
      log.push({ error: error instanceof Error ? error.name : String(error) });
      changed.next();
    },
    complete: () => {
      log.push('complete');
      changed.next();
    },
  });
  return {
    log,
    subscription,
    length: async (count: number) => {
      while (log.length < count) await firstValueFrom(changed);
      return log;
    },
  };
}

const textOf = (body: Observable<Uint8Array>) => {
  const decoder = new TextDecoder();
  return record(body, (chunk) => decoder.decode(chunk, { stream: true }));
};

/** The contract of `Transport`, row by row. */
export function describeTransportContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`the transport contract: ${name}`, () => {
    let subject: ContractSubject;
    const request = (options: Partial<HttpRequest> = {}): HttpRequest => ({
      url: subject.url,
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"stream":true}',
      ...options,
    });

    /** Subscribes the body inside `next`, as `concatMap` does. */
    const exchange = (options?: Partial<HttpRequest>) => {
      let body!: ReturnType<typeof textOf>;
      const outer = record(
        subject.transport(request(options)),
        ({ status }) => ({ status }),
        (response: HttpResponse) => (body = textOf(response.body)),
      );
      return {
        outer,
        get body() {
          return body;
        },
      };
    };

    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.close());

    it.each([200, 404, 503])(
      'emits one response with status %i at its headers, then completes',
      async (status) => {
        const { outer } = exchange();
        const peer = await subject.arrival();
        expect(outer.log).toEqual([]);
        peer.headers(status);
        expect(await outer.length(2)).toEqual([{ status }, 'complete']);
        peer.end();
      },
    );

    it('is cold: each subscription is a request of its own', async () => {
      const responses = subject.transport(request());
      for (const status of [200, 201]) {
        const outer = record(
          responses,
          (response) => ({ status: response.status }),
          (response) => void response.body.subscribe(),
        );
        const peer = await subject.arrival();
        peer.headers(status);
        peer.end();
        expect(await outer.length(2)).toEqual([{ status }, 'complete']);
      }
    });

    it('gives the body piece by piece and completes with it', async () => {
      const turn = exchange();
      const peer = await subject.arrival();
      peer.headers();
      await turn.outer.length(2);
      peer.write('one');
      expect(await turn.body.length(1)).toEqual(['one']);
      peer.write('two');
      expect(await turn.body.length(2)).toEqual(['one', 'two']);
      peer.end();
      expect(await turn.body.length(3)).toEqual(['one', 'two', 'complete']);
      expect(subject.abortedCount()).toBe(0);
    });

    it('aborts where it is unsubscribed before the headers', async () => {
      const { outer } = exchange();
      const peer = await subject.arrival();
      outer.subscription.unsubscribe();
      await peer.aborted;
      expect(outer.log).toEqual([]);
    });

    it('leaves the connection to the body once the headers are there', async () => {
      const turn = exchange();
      const peer = await subject.arrival();
      peer.headers();
      await turn.outer.length(2);
      turn.outer.subscription.unsubscribe();
      peer.write('still here');
      peer.end();
      expect(await turn.body.length(2)).toEqual(['still here', 'complete']);
      expect(subject.abortedCount()).toBe(0);
    });

    it('aborts where the body is unsubscribed', async () => {
      const turn = exchange();
      const peer = await subject.arrival();
      peer.headers();
      await turn.outer.length(2);
      peer.write('one');
      await turn.body.length(1);
      turn.body.subscription.unsubscribe();
      await peer.aborted;
      expect(turn.body.log).toEqual(['one']);
    });

    it('cancels a body that nobody has taken by the time next returns', async () => {
      const outer = record(subject.transport(request()), ({ status }) => ({ status }));
      const peer = await subject.arrival();
      peer.headers();
      await peer.aborted;
      expect(await outer.length(2)).toEqual([{ status: 200 }, 'complete']);
    });

    it('aborts nothing once the body has ended', async () => {
      const turn = exchange();
      const peer = await subject.arrival();
      peer.headers();
      peer.end();
      await turn.outer.length(2);
      expect(await turn.body.length(1)).toEqual(['complete']);
      turn.body.subscription.unsubscribe();
      turn.outer.subscription.unsubscribe();
      expect(subject.abortedCount()).toBe(0);
    });

    it('lets a break arrive as the error of the body', async () => {
      const turn = exchange();
      const peer = await subject.arrival();
      peer.headers();
      await turn.outer.length(2);
      peer.write('one');
      await turn.body.length(1);
      peer.cut();
      const log = await turn.body.length(2);
      expect(log[0]).toBe('one');
      expect(log[1]).toHaveProperty('error');
      expect(turn.outer.log).toEqual([{ status: 200 }, 'complete']);
    });

    it('lets the body be subscribed once', async () => {
      const turn: { again?: ReturnType<typeof textOf> } = {};
      record(
        subject.transport(request()),
        ({ status }) => ({ status }),
        ({ body }) => {
          body.subscribe();
          turn.again = textOf(body);
        },
      );
      const peer = await subject.arrival();
      peer.headers();
      peer.end();
      while (turn.again === undefined) await tick();
      expect(await turn.again.length(1)).toEqual([{ error: 'StreamError' }]);
    });
  });
}

/** The rows that need a network: what stands at the other end is a real server. */
export function describeNetworkContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`the transport contract over sockets: ${name}`, () => {
    let subject: ContractSubject;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.close());

    const request = (options: Partial<HttpRequest> = {}): HttpRequest => ({
      url: subject.url,
      method: 'POST',
      headers: {},
      body: '{}',
      ...options,
    });

    it('errors with a TransportError that is retried where nobody answers', async () => {
      const turn = record(subject.transport(request({ url: subject.deadUrl })), ({ status }) => ({ status }));
      expect(await turn.length(1)).toEqual([{ error: 'TransportError' }]);
    });

    it.each([301, 302, 303, 307, 308])('refuses the redirect %i, without following it', async (status) => {
      const failure = firstValueFrom(subject.transport(request())).catch((error: unknown) => error);
      const peer = await subject.arrival();
      peer.headers(status);
      peer.end();
      expect(await failure).toMatchObject({ name: 'TransportError', retryable: false });
    });

    it('makes one network read at a time, the next when demand has a value', async () => {
      const asked = new Subject<void>();
      const wanted = new Subject<void>();
      const demand = () => {
        asked.next();
        return wanted;
      };
      let body!: ReturnType<typeof textOf>;
      let firstAsked = firstValueFrom(asked);
      const outer = record(
        subject.transport(request({ demand })),
        ({ status }) => ({ status }),
        (response) => (body = textOf(response.body)),
      );
      const peer = await subject.arrival();
      peer.headers();
      await outer.length(2);
      peer.write('one');
      await body.length(1);
      await firstAsked;
      peer.write('two');
      peer.end();
      expect(body.log).toEqual(['one']);
      firstAsked = firstValueFrom(asked);
      wanted.next();
      expect((await body.length(2)).slice(0, 2)).toEqual(['one', 'two']);
      // Whether the end is a read of its own is the platform's affair.
      await Promise.race([firstAsked, body.length(3)]);
      wanted.next();
      expect(await body.length(3)).toEqual(['one', 'two', 'complete']);
    });

    it('ends the connection where demand ends without a value', async () => {
      let body!: ReturnType<typeof textOf>;
      record(
        subject.transport(request({ demand: () => EMPTY })),
        ({ status }) => ({ status }),
        (response) => (body = textOf(response.body)),
      );
      const peer = await subject.arrival();
      peer.headers();
      peer.write('one');
      await peer.aborted;
      expect(body.log).toEqual(['one', { error: 'StreamError' }]);
    });
  });
}
