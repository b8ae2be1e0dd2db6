import { signal } from '@angular/core';
import { build } from 'esbuild';
import { asyncScheduler, concat, of, throwError } from 'rxjs';
import type { TurnResource } from '../../src/angular/index.js';
import { turnResource } from '../../src/angular/index.js';
import { ApplicationError, StreamError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { startApplication } from '../support/angular.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';

const events: Record<string, ResponseEvent> = { a: text('Hel'), b: text('lo'), c: completed() };

const at = (frame: number, work: () => void): void => void asyncScheduler.schedule(work, frame);

/** What a resource tells: its status, its value's text, whether it loads, and what has arrived. */
const shown = (resource: TurnResource): string => {
  const status = resource.status();
  const value = status === 'error' ? 'throws' : (resource.value()?.text ?? 'none');
  expect(resource.hasValue()).toBe(value !== 'throws' && value !== 'none');
  return `${status} ${value} ${resource.isLoading() ? 'loading' : 'settled'} ${resource.turn().text}`;
};

describe('turnResource()', () => {
  it('takes no more of Angular into a bundle than it uses', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: "export { turnResource } from './src/angular/index.ts';",
        resolveDir: process.cwd(),
      },
      bundle: true,
      format: 'esm',
      external: ['rxjs'],
      charset: 'utf8',
      write: false,
      logLevel: 'silent',
    });
    const bundle = outputFiles[0]?.text ?? '';
    expect(/toObservable\(/.test(bundle)).toBe(true);
    // As an object, a namespace has a getter for each of its names.
    expect(/ɵɵpipeBindV: \(\) =>/.test(bundle)).toBe(false);
    // Angular 20 has none, which is an error of webpack.
    expect(/resourceFromSnapshots;/.test(bundle)).toBe(false);
  });

  it('loads until its turn is over', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b-(c|)', events);
      const topic = signal<string | undefined>(undefined);
      const application = startApplication();
      const resource = application.run(() =>
        turnResource({ params: topic, stream: () => source, coalesce: 0 }),
      );
      const seen: string[] = [];
      const see = () => seen.push(shown(resource));
      application.tick();
      see();
      at(0, () => {
        topic.set('tea');
        // The effect that begins the turn has not run.
        see();
        application.tick();
        see();
      });
      for (const frame of [2, 5, 7]) at(frame, see);
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      flush();
      expect(seen).toEqual([
        'idle none settled ',
        'loading none loading ',
        'loading none loading ',
        'loading Hel loading Hel',
        'loading Hello loading Hello',
        'resolved Hello settled Hello',
      ]);
      expect(resource.state().status).toBe('completed');
    });
  });

  it('keeps the partial text after an error, where value() throws', () => {
    const error = new StreamError();
    const application = startApplication();
    const resource = application.run(() =>
      turnResource({
        params: () => 'tea',
        stream: () =>
          concat(
            of(text('Hel')),
            throwError(() => error),
          ),
        coalesce: 0,
      }),
    );
    application.tick();
    expect(shown(resource)).toBe('error throws settled Hel');
    expect(resource.error()).toBe(error);
    expect(() => resource.value()).toThrow(expect.objectContaining({ cause: error }) as Error);
    expect(resource.snapshot()).toEqual({ status: 'error', error });
  });

  it('gives the params to the stream, and leaves the turn of params that have changed', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const sources = { tea: cold('-a--b', events), coffee: cold('-b-(c|)', events) };
      const topic = signal<'tea' | 'coffee' | undefined>('tea');
      const application = startApplication();
      const resource = application.run(() =>
        turnResource({ params: topic, stream: ({ params }) => sources[params], coalesce: 0 }),
      );
      at(0, () => application.tick());
      at(3, () => {
        topic.set('coffee');
        expect(shown(resource)).toBe('loading none loading ');
        application.tick();
      });
      at(7, () => {
        expect(shown(resource)).toBe('resolved lo settled lo');
        topic.set(undefined);
        expect(shown(resource)).toBe('idle none settled ');
        application.tick();
        expect(shown(resource)).toBe('idle none settled ');
      });
      expectSubscriptions(sources.tea.subscriptions).toBe('^--!');
      expectSubscriptions(sources.coffee.subscriptions).toBe('---^--!');
      flush();
    });
  });

  it('asks once for params that are equal', () => {
    let turns = 0;
    const topic = signal('tea');
    const application = startApplication();
    application.run(() =>
      turnResource({
        params: () => topic().trim(),
        stream: () => {
          turns += 1;
          return of(completed());
        },
        coalesce: 0,
      }),
    );
    application.tick();
    topic.set(' tea');
    application.tick();
    expect(turns).toBe(1);
  });

  it('reloads: the turn before stays until the next has begun', () => {
    testScheduler().run(({ cold, flush }) => {
      const sources = [of(text('Hello'), completed()), cold('--a-(c|)', events)];
      const application = startApplication();
      const resource = application.run(() =>
        turnResource({ params: () => 'tea', stream: () => sources.shift() ?? of(), coalesce: 0 }),
      );
      at(0, () => {
        application.tick();
        expect(shown(resource)).toBe('resolved Hello settled Hello');
        expect(resource.reload()).toBe(true);
        expect(shown(resource)).toBe('reloading Hello loading Hello');
        application.tick();
        expect(shown(resource)).toBe('reloading Hello loading Hello');
      });
      at(3, () => expect(shown(resource)).toBe('reloading Hel loading Hel'));
      at(5, () => expect(shown(resource)).toBe('resolved Hel settled Hel'));
      flush();
      expect(sources).toEqual([]);
    });
  });

  it('keeps the turn before where a reload is stopped before anything of the next arrives', () => {
    testScheduler().run(({ cold, flush }) => {
      const sources = [of(text('Hello'), completed()), cold<ResponseEvent>('-')];
      const application = startApplication();
      const resource = application.run(() =>
        turnResource({ params: () => 'tea', stream: () => sources.shift() ?? of(), coalesce: 0 }),
      );
      at(0, () => {
        application.tick();
        resource.reload();
        application.tick();
        resource.stop();
        expect(shown(resource)).toBe('resolved Hello settled Hello');
      });
      flush();
    });
  });

  it('reloads nothing without params', () => {
    const application = startApplication();
    const resource = application.run(() =>
      turnResource({ params: () => undefined, stream: () => of(completed()) }),
    );
    application.tick();
    expect(resource.reload()).toBe(false);
    expect(shown(resource)).toBe('idle none settled ');
  });

  it('stops: the request is aborted, and what has come is its value', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b', events);
      const application = startApplication();
      const resource = application.run(() =>
        turnResource({ params: () => 'tea', stream: () => source, coalesce: 0 }),
      );
      at(0, () => application.tick());
      at(3, () => {
        resource.stop();
        expect(shown(resource)).toBe('resolved Hel settled Hel');
        expect(resource.state().status).toBe('stopped');
      });
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
    });
  });

  it('requests nothing where it was stopped before its turn began', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b', events);
      const application = startApplication();
      const resource = application.run(() =>
        turnResource({ params: () => 'tea', stream: () => source, coalesce: 0 }),
      );
      at(0, () => {
        resource.stop();
        application.tick();
        expect(resource.status()).toBe('resolved');
        expect(resource.state().status).toBe('stopped');
      });
      at(3, () => {
        resource.reload();
        application.tick();
      });
      at(6, () => resource.stop());
      expectSubscriptions(source.subscriptions).toBe('---^--!');
      flush();
    });
  });

  it.each([
    ['params', { params: throwing, stream: () => of() }],
    ['stream', { params: () => 'tea', stream: throwing }],
  ])('makes what %s throws its error', (_, options) => {
    const application = startApplication();
    const resource = application.run(() => turnResource({ ...options, coalesce: 0 }));
    application.tick();
    expect(shown(resource)).toBe('error throws settled ');
    expect(resource.error()).toBeInstanceOf(ApplicationError);
    expect(resource.error()?.cause).toBe(failure);
  });

  it('goes on once params throw no longer', () => {
    const topic = signal<string | undefined>(undefined);
    const application = startApplication();
    const resource = application.run(() =>
      turnResource({
        params: () => topic() ?? throwing(),
        stream: () => of(text('Hello'), completed()),
        coalesce: 0,
      }),
    );
    application.tick();
    topic.set('tea');
    application.tick();
    expect(shown(resource)).toBe('resolved Hello settled Hello');
  });

  it('ends with its injection context', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b', events);
      const application = startApplication();
      application.run(() => turnResource({ params: () => 'tea', stream: () => source, coalesce: 0 }));
      at(0, () => application.tick());
      at(3, () => application.destroy());
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
    });
  });

  it('starts nothing on a server', () => {
    const application = startApplication({ platform: 'server' });
    const resource = application.run(() =>
      turnResource({
        params: () => 'tea',
        stream: (): never => {
          throw new Error('It was started.');
        },
      }),
    );
    application.tick();
    expect(shown(resource)).toBe('idle none settled ');
    expect(resource.reload()).toBe(false);
  });

  it('says where it may be called', () => {
    expect(() => turnResource({ params: () => 'tea', stream: () => of() })).toThrow(/NG0203/);
  });
});

const failure = new Error('theirs');
function throwing(): never {
  throw failure;
}
