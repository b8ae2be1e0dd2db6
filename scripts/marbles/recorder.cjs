// Writes down what happened in each `TestScheduler.run` of a test: the sources with their subscriptions, and
// what the observables that are expected something of have given. A run that fails throws before that.
const { appendFileSync } = require('node:fs');
const { TestScheduler } = require('rxjs/testing');
const { labelOf } = require('./labels.ts');

const { run, parseMarblesAsSubscriptions } = {
  run: TestScheduler.prototype.run,
  parseMarblesAsSubscriptions: (marbles) => TestScheduler.parseMarblesAsSubscriptions(marbles, true),
};

TestScheduler.prototype.run = function (callback) {
  const sources = [];
  const results = [];
  const source = (kind, create) => (marbles, values, error) => {
    const observable = create(marbles, values, error);
    sources.push({ kind, observable });
    return observable;
  };
  const value = run.call(this, (helpers) =>
    callback({
      ...helpers,
      cold: source('cold', helpers.cold),
      hot: source('hot', helpers.hot),
      expectObservable: (observable, subscription) => {
        const assertion = helpers.expectObservable(observable, subscription);
        const { subscribedFrame, unsubscribedFrame } = parseMarblesAsSubscriptions(subscription);
        results.push({
          messages: this.flushTests.at(-1).actual,
          from: subscribedFrame === Infinity ? 0 : subscribedFrame,
          to: unsubscribedFrame,
        });
        return assertion;
      },
    }),
  );
  const { currentTestName: test } = expect.getState();
  const record = {
    test,
    sources: sources.map(({ kind, observable }) => ({
      kind,
      messages: notes(observable.messages, observable.meaningOf),
      subscriptions: observable.subscriptions.map(({ subscribedFrame, unsubscribedFrame }) =>
        span(subscribedFrame, unsubscribedFrame),
      ),
    })),
    results: results.map(({ messages, from, to }) => ({
      messages: notes(messages),
      subscriptions: [span(from, to)],
    })),
  };
  appendFileSync(process.env.MARBLES_RECORD, `${JSON.stringify(record)}\n`);
  return value;
};

/** JSON has no Infinity: a subscription that nobody ended has no `to`. */
const span = (from, to) => (to === Infinity ? { from } : { from, to });

const notes = (messages, meaningOf = (value) => value) =>
  messages.map(({ frame, notification: { kind, value, error } }) => ({
    frame,
    kind,
    ...(kind === 'N' && { label: labelOf(meaningOf(value)) }),
    ...(kind === 'E' && { label: labelOf(error) }),
  }));
