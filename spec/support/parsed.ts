/** What `JSON.parse` was given while something was done. */
export function parsedBy(work: () => void): { readonly calls: number; readonly characters: number } {
  const parse = jest.spyOn(JSON, 'parse');
  try {
    work();
    const texts = parse.mock.calls.map(([text]) => text);
    return { calls: texts.length, characters: texts.reduce((sum, { length }) => sum + length, 0) };
  } finally {
    parse.mockRestore();
  }
}
