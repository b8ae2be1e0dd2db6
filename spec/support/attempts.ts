/** What so many attempts failed with. */
export const attempts = (count: number): readonly Error[] =>
  Array.from({ length: count }, () => new Error('refused'));
