/** Named checks that run one after another and are summed up in the form of Jest's summary. */
export function checks() {
  let passed = 0;
  let failed = 0;
  return {
    async check(name, run) {
      try {
        await run();
        passed += 1;
        console.log(`ok    ${name}`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL  ${name}\n${error instanceof Error ? error.message : error}`);
      }
    },
    finish() {
      const counts = [failed > 0 && `${failed} failed`, `${passed} passed`, `${passed + failed} total`];
      console.log(`\nTests: ${counts.filter(Boolean).join(', ')}`);
      process.exitCode = failed > 0 ? 1 : 0;
    },
  };
}
