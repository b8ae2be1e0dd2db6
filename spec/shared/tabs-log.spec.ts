import { lastValueFrom, from } from 'rxjs';
import { tabsLog } from '../../src/shared/index.js';
import { FakeLocks } from './fake-locks.js';
import { itIsATurnLog } from './turn-log-contract.js';

describe('tabsLog()', () => {
  itIsATurnLog(async () => {
    const origin = new FakeLocks();
    const logs = [tabsLog({ locks: origin.tab().locks }), tabsLog({ locks: origin.tab().locks })] as const;
    return {
      logs,
      end: async () => {
        for (const log of logs) await lastValueFrom(from(log.close()), { defaultValue: undefined });
      },
    };
  });
});
