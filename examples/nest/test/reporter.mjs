/** One line a test, and at the end a summary in the form of Jest's. */
export default async function* reporter(events) {
  let passed = 0;
  let failed = 0;
  let suite = '';
  for await (const { type, data } of events) {
    if (type === 'test:start' && data.nesting === 0) suite = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const isSuite = data.details?.type === 'suite';
    if (type === 'test:pass') {
      if (isSuite) continue;
      passed += 1;
      yield `ok    ${suite}: ${data.name}\n`;
    } else if (!isSuite || data.details.error?.failureType !== 'subtestsFailed') {
      failed += 1;
      const { error } = data.details;
      yield `FAIL  ${suite}: ${data.name}\n${(error?.cause ?? error)?.stack ?? error}\n`;
    }
  }
  const counts = [failed > 0 && `${failed} failed`, `${passed} passed`, `${passed + failed} total`];
  yield `\nTests: ${counts.filter(Boolean).join(', ')}\n`;
}
