import { nearest } from '../../src/cli/nearest.js';

const names = ['provider', 'base-url', 'model', 'system', 'show-reasoning', 'max-retries', 'json', 'usage'];

it.each([
  ['modle', 'model'],
  ['Model', 'model'],
  ['provder', 'provider'],
  ['baseurl', 'base-url'],
  ['base_url', 'base-url'],
  ['max-retry', 'max-retries'],
  ['reasoning', 'show-reasoning'],
  ['retries', 'max-retries'],
  ['jsn', 'json'],
  ['u', undefined],
  ['verbose', undefined],
  ['temperature', undefined],
  ['', undefined],
  ['m'.repeat(100_000), undefined],
])('of %s, %s was meant', (name, meant) => {
  expect(nearest(name, names)).toBe(meant);
});
