import { context, createContextKey } from '@opentelemetry/api';
import { Observable, of, take } from 'rxjs';
import { transportWithin } from '../../src/otel/transport-within.js';
import type { HttpRequest, HttpResponse } from '../../src/index.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { describeTransportContract } from '../request/transport-contract.js';
import { inMemory, inMemorySubject } from '../support/in-memory.js';
import { withContexts } from './recorded-spans.js';

withContexts();

const key = createContextKey('spec');
const named = (name: string) => context.active().setValue(key, name);
const active = () => context.active().getValue(key);

describeTransportContract('a transport within a context', () => {
  const lines = Array.from({ length: 2 }, inMemory);
  const scripted = scriptedTransport(...lines.map(({ answer }) => answer));
  const transport = transportWithin(named('inner'), named('outer'), scripted);
  return Promise.resolve(inMemorySubject(transport, lines, () => scripted.aborted));
});

describe('transportWithin', () => {
  const request: HttpRequest = { url: 'https://p.test', method: 'POST', headers: {}, body: '{}' };

  it('calls and subscribes in one context, and delivers in the other', () => {
    const calls: string[] = [];
    const note = (what: string) => calls.push(`${what}: ${String(active())}`);
    const transport = transportWithin(named('inner'), named('outer'), () => {
      note('called');
      return new Observable<HttpResponse>((subscriber) => {
        note('subscribed');
        const body = new Observable<Uint8Array>((reader) => {
          context.with(named('socket'), () => {
            reader.next(new Uint8Array());
            reader.error(new Error('cut'));
          });
        });
        context.with(named('socket'), () => {
          subscriber.next({ status: 200, headers: { get: () => null }, body });
          subscriber.complete();
        });
      });
    });
    transport(request).subscribe({
      next: ({ body }) => {
        note('response');
        body.subscribe({ next: () => note('read'), error: () => note('break') });
      },
      complete: () => note('complete'),
    });
    expect(calls).toEqual([
      'called: inner',
      'subscribed: inner',
      'response: outer',
      'read: outer',
      'break: outer',
      'complete: outer',
    ]);
  });

  it('passes on what is no Observable, which the turn complains of', () => {
    const transport = transportWithin(context.active(), context.active(), (() => 'no Observable') as never);
    expect(transport(request)).toBe('no Observable');
  });

  it('stops a source that emits synchronously where it is left', () => {
    let emitted = 0;
    const body = new Observable<Uint8Array>((reader) => {
      while (!reader.closed) {
        emitted += 1;
        reader.next(new Uint8Array());
      }
    });
    const transport = transportWithin(context.active(), context.active(), () =>
      of({ status: 200, headers: { get: () => null }, body }),
    );
    transport(request).subscribe((response) => response.body.pipe(take(3)).subscribe());
    expect(emitted).toBe(3);
  });
});
